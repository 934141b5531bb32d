"""What should be found and what is held, read past the product: SQL on one side, the raw index on the other.

None of the product's own comparing is used: a fault in it would then judge itself.
"""

from __future__ import annotations

import collections
import json
import re
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .world import PREFIX, World

TABLES = ("achievement", "demand", "expert", "project")
TOMBSTONE = "~"
MARK = re.compile(r"gm[a-z0-9]+")


@dataclass
class Held:
    """The index's living documents. `ids` keeps doubles, `marks` maps a word to the ids that have it."""

    ids: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    marks: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """Where database and index differ, by number; `wrong_text`: the version is right and the words are not."""

    missing: list[str]
    extra: list[str]
    stale: list[str]
    double: list[str]
    wrong_text: list[str]
    phantoms: list[str]
    compared: int

    @property
    def count(self) -> int:
        parts = (self.missing, self.extra, self.stale, self.double, self.wrong_text, self.phantoms)
        return sum(len(part) for part in parts)

    def __str__(self) -> str:
        named = {
            "缺": self.missing,
            "多": self.extra,
            "旧": self.stale,
            "重": self.double,
            "错字": self.wrong_text,
            "幻影": self.phantoms,
        }
        said = [f"{name} {len(found)} {found[:3]}" for name, found in named.items() if found]
        return f"比对 {self.compared} 条，" + ("；".join(said) or "没有差异")


def wanted(world: World) -> dict[str, tuple[int, str]]:
    """Number → (version, title) of what any visitor may find, by SQL."""
    found: dict[str, tuple[int, str]] = {}
    for table in TABLES:
        rows = world.sql(
            f"SELECT r.number, r.search_version, l.title FROM cms_{table} l"
            " JOIN cms_listingrecord r ON r.id = l.record_id"
            " WHERE l.live AND l.disclosure_level <> 'L3'"
        )
        found |= {number: (version, title) for number, version, title in rows}
    return found


def waiting(world: World) -> int:
    """Changes that the index has not taken in, without the parked ones."""
    return world.sql("SELECT count(*) FROM search_searchchange WHERE parked_reason = ''")[0][0]


def held(world: World, marks: Iterable[str] = ()) -> Held:
    """What the index holds; for each of `marks` also where it stands."""
    if world.elastic is not None:
        return _elastic(world, list(marks))
    return _embedded(world, list(marks))


def compare(world: World, undone: Iterable[str] = ()) -> Difference:
    """Compare both ways: numbers, versions, doubles, and that each text in the index is the database's own."""
    should = wanted(world)
    words = {number: found.group() for number, (_, title) in should.items() if (found := MARK.search(title))}
    undone = list(undone)
    has = held(world, [*words.values(), *undone])
    counted = collections.Counter(has.ids)
    return Difference(
        missing=sorted(should.keys() - has.versions.keys()),
        extra=sorted(has.versions.keys() - should.keys()),
        stale=sorted(n for n, (v, _) in should.items() if n in has.versions and has.versions[n] != v),
        double=sorted(n for n, times in counted.items() if times > 1),
        wrong_text=sorted(n for n, word in words.items() if n in has.versions and has.marks.get(word) != [n]),
        phantoms=[mark for mark in undone if has.marks.get(mark)],
        compared=len(should),
    )


def settle(world: World, seconds: float, undone: Iterable[str] = ()) -> tuple[float | None, Difference]:
    """Wait until nothing waits and nothing differs; after how many seconds (None: never), and the last difference.

    The caller has stopped whoever writes. While the index cannot be read it differs.
    """
    began = time.monotonic()
    undone = list(undone)
    last: Any = None
    while True:
        try:
            if waiting(world) == 0:
                last = compare(world, undone)
                if last.count == 0:
                    return time.monotonic() - began, last
        except Unreadable as error:
            last = Difference([str(error)], [], [], [], [], [], 0)
        if time.monotonic() - began > seconds:
            if last is None:
                last = compare(world, undone)
            return None, last
        time.sleep(0.5)


class Unreadable(Exception):
    """The index cannot be read now."""


def _embedded(world: World, marks: list[str]) -> Held:
    import tantivy

    last = ""
    for _ in range(20):
        try:
            folder = world.folder / "search" / (world.folder / "search" / "CURRENT").read_text().strip()
            index = tantivy.Index.open(str(folder))
            index.register_tokenizer("whitespace", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
            index.reload()
            return _read_tantivy(tantivy, index, marks)
        except (OSError, ValueError) as error:
            # Its writer may just have removed a file that this look had begun to read.
            last = str(error)
            time.sleep(0.1)
    raise Unreadable(last)


def _read_tantivy(tantivy: Any, index: Any, marks: list[str]) -> Held:
    searcher, found = index.searcher(), Held()
    hits = searcher.search(tantivy.Query.all_query(), limit=max(1, searcher.num_docs), count=False).hits
    at: dict[tuple[int, int], str] = {}
    for _, address in hits:
        kept = searcher.doc(address)
        if kept["kind"][0] == TOMBSTONE:
            continue
        number = kept["id"][0]
        found.ids.append(number)
        found.versions[number] = kept["version"][0]
        at[address.segment_ord, address.doc] = number
    for mark in marks:
        query = tantivy.Query.term_query(index.schema, "uni", mark)
        where = [at.get((a.segment_ord, a.doc), "?") for _, a in searcher.search(query, limit=5).hits]
        found.marks[mark] = where
    return found


def ask_elastic(url: str, method: str, path: str, body: Any = None, timeout: float = 30) -> Any:
    """One raw call; JSON in, JSON out. Raises Unreadable."""
    data, kind = None, "application/json"
    if isinstance(body, str):
        data, kind = body.encode(), "application/x-ndjson"
    elif body is not None:
        data = json.dumps(body).encode()
    headers = {"Content-Type": kind}
    asked = urllib.request.Request(url + path, data=data, method=method, headers=headers)  # noqa: S310 (our own node)
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise Unreadable(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error
    except (OSError, ValueError) as error:
        raise Unreadable(f"{method} {path}: {error}") from error


def _elastic(world: World, marks: list[str]) -> Held:
    assert world.elastic is not None
    url, found = world.elastic.url, Held()
    ask_elastic(url, "POST", f"/{PREFIX}/_refresh")
    body = {"size": 1000, "version": True, "sort": ["_doc"], "query": {"match_all": {}}}
    page = ask_elastic(url, "POST", f"/{PREFIX}/_search?scroll=1m", body)
    while hits := page["hits"]["hits"]:
        for hit in hits:
            if hit["_source"].get("kind") == TOMBSTONE:
                continue
            found.ids.append(hit["_id"])
            found.versions[hit["_id"]] = hit["_version"]
        page = ask_elastic(url, "POST", "/_search/scroll", {"scroll": "1m", "scroll_id": page["_scroll_id"]})
    ask_elastic(url, "DELETE", "/_search/scroll", {"scroll_id": page["_scroll_id"]})
    for start in range(0, len(marks), 200):
        chunk = marks[start : start + 200]
        lines = "".join(
            "{}\n" + json.dumps({"query": {"term": {"uni": mark}}, "size": 5, "_source": False}) + "\n"
            for mark in chunk
        )
        answers = ask_elastic(url, "POST", f"/{PREFIX}/_msearch", lines)["responses"]
        for mark, answer in zip(chunk, answers, strict=True):
            if "hits" not in answer:
                raise Unreadable(str(answer)[:300])
            found.marks[mark] = [hit["_id"] for hit in answer["hits"]["hits"]]
    return found
