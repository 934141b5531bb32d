"""How good a ranking is on judged data: nDCG@10, jnDCG@10, Recall@20, MRR, Judged@10. No database, no Django model.

Judgments: one JSON object a line, {"demand_id", "supply_id", "gain"}; gain 0 to 3, a pair not listed counts as 0.
Runs: one JSON object a line, {"demand_id", "ranking": [ids]}, best first (or [id, score] pairs). Means are over the
demands that have at least one pair of gain ≥ 2; a demand that the run leaves out scores 0. jnDCG takes the unjudged
out of the ranking first: the fair measure where only a part of the collection was judged.
"""

from __future__ import annotations

import json
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .engines import Engine
from .matching import rank_by_text
from .query import Document

METRICS = ("nDCG@10", "jnDCG@10", "Recall@20", "MRR", "Judged@10")
RELEVANT = 2
KIND = "corpus"


class BadFile(Exception):
    """A file cannot be read as what it should be: says which line and why."""


def read_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """Each line's object. Raises BadFile."""
    try:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    try:
                        row = json.loads(line)
                    except ValueError as error:
                        raise BadFile(f"{path.name}:{number}: not JSON: {error}") from error
                    if not isinstance(row, dict):
                        raise BadFile(f"{path.name}:{number}: not an object")
                    yield row
    except (OSError, UnicodeDecodeError) as error:
        raise BadFile(f"{path}: {error}") from error


def _text(row: Mapping[str, Any], path: Path, *names: str) -> str:
    """The first of these fields that the row has. Raises BadFile where it has none."""
    for name in names:
        if row.get(name) is not None:
            return str(row[name])
    raise BadFile(f"{path.name}: a line has no {' or '.join(names)}")


def documents(path: Path) -> Iterator[Document]:
    """The corpus as documents: lines {id, title, text}."""
    for row in read_jsonl(path):
        yield Document(
            id=_text(row, path, "id"), kind=KIND, title=_text(row, path, "title"), body=str(row.get("text") or "")
        )


def read_queries(path: Path) -> list[Document]:
    """The queries: lines {id, title, text}. The id is the demand's, not one of the corpus."""
    return [
        Document(
            id=_text(row, path, "id"),
            kind="",
            title=_text(row, path, "title", "query"),
            body=str(row.get("text") or ""),
        )
        for row in read_jsonl(path)
    ]


def read_judgments(path: Path) -> dict[str, dict[str, float]]:
    """demand → supply → gain."""
    judged: dict[str, dict[str, float]] = defaultdict(dict)
    for row in read_jsonl(path):
        try:
            gain = float(row["gain"])
        except (KeyError, TypeError, ValueError) as error:
            raise BadFile(f"{path.name}: a line has no gain") from error
        judged[_text(row, path, "demand_id")][_text(row, path, "supply_id")] = gain
    return judged


def read_run(path: Path) -> dict[str, list[str]]:
    """demand → ids, best first; an id that comes again counts once, at its best rank."""
    run: dict[str, list[str]] = {}
    for row in read_jsonl(path):
        demand = _text(row, path, "demand_id")
        if demand in run:
            raise BadFile(f"{path.name}: demand {demand} occurs twice")
        if not isinstance(row.get("ranking"), list):
            raise BadFile(f"{path.name}: demand {demand} has no ranking")
        run[demand] = list(dict.fromkeys(str(x[0] if isinstance(x, list) else x) for x in row["ranking"]))
    return run


def _dcg(gains: Sequence[float]) -> float:
    return sum((2**gain - 1) / math.log2(place + 2) for place, gain in enumerate(gains))


def score_one(ranking: Sequence[str], judged: Mapping[str, float]) -> dict[str, float]:
    """All measures of one demand."""
    relevant = {supply for supply, gain in judged.items() if gain >= RELEVANT}
    ideal = _dcg(sorted(judged.values(), reverse=True)[:10])
    condensed = [supply for supply in ranking if supply in judged]
    return {
        "nDCG@10": _dcg([judged.get(s, 0) for s in ranking[:10]]) / ideal if ideal else 0.0,
        "jnDCG@10": _dcg([judged[s] for s in condensed[:10]]) / ideal if ideal else 0.0,
        "Recall@20": len(relevant & set(ranking[:20])) / len(relevant) if relevant else 0.0,
        "MRR": next((1 / place for place, s in enumerate(ranking, 1) if s in relevant), 0.0),
        "Judged@10": sum(s in judged for s in ranking[:10]) / max(1, min(10, len(ranking))),
    }


def counted(judged: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The demands that means are taken over: those with at least one relevant pair."""
    return [demand for demand, gains in judged.items() if max(gains.values()) >= RELEVANT]


def evaluate(run: Mapping[str, Sequence[str]], judged: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Means over the demands with a relevant pair. Raises BadFile where there is none."""
    scored = [score_one(run.get(demand, []), judged[demand]) for demand in counted(judged)]
    if not scored:
        raise BadFile(f"no demand has a pair with gain ≥ {RELEVANT}")
    return {name: sum(one[name] for one in scored) / len(scored) for name in METRICS}


@dataclass(frozen=True)
class Timing:
    """What a run took: records indexed a second (with analysis), p50 and p95 of one query in milliseconds."""

    documents: int
    queries: int
    per_second: float
    p50_ms: float
    p95_ms: float


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest-rank percentile; 0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def rank(engine: Engine, corpus: Path, queries: Path, *, top: int = 200) -> tuple[dict[str, list[str]], Timing]:
    """Index a corpus alone and rank it for every query, with the code that matches listings."""
    asked = read_queries(queries)
    known = list(documents(corpus))
    if len({d.id for d in known}) < len(known):
        raise BadFile(f"{corpus.name}: an id occurs twice")
    started = time.perf_counter()
    refused = engine.rebuild(known)
    engine.refresh()
    indexing = time.perf_counter() - started
    if refused:
        raise BadFile(f"{corpus.name}: {len(refused)} records were refused, first {next(iter(refused.items()))}")
    run: dict[str, list[str]] = {}
    taken: list[float] = []
    for query in asked:
        began = time.perf_counter()
        hits = rank_by_text(engine, query, kinds=(KIND,), limit=top)
        taken.append((time.perf_counter() - began) * 1000)
        run[query.id] = [hit.id for hit in hits]
    timing = Timing(
        len(known),
        len(asked),
        len(known) / indexing if indexing else 0.0,
        percentile(taken, 0.5),
        percentile(taken, 0.95),
    )
    return run, timing


def write_run(run: Mapping[str, Sequence[str]], path: Path) -> None:
    """Write a run file: one line a demand."""
    with open(path, "w", encoding="utf-8") as file:
        for demand, ids in run.items():
            file.write(json.dumps({"demand_id": demand, "ranking": list(ids)}, ensure_ascii=False) + "\n")
