"""In how many documents a term stands, as the server's own ranking counts: asked of the term dictionary, not searched.

A text that is in no index is sent for its term vectors with their statistics: one look-up a term, however many
documents hold it. With several shards each is asked, and the counts are added.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from .elastic_client import MATCH, WRITE, Line, Missing, whole

Known = dict[str, tuple[int, dict[str, int]]]


class Statistics:
    """Document frequencies of one index after another; remembers how each shard of the current one is reached."""

    def __init__(self, line: Line) -> None:
        self.line = line
        self._routes: tuple[str, tuple[str, ...]] = ("", ())

    def of(self, alias: str, wanted: Mapping[str, Sequence[str]]) -> Known:
        """field → (number of documents, {term: documents with it}), terms that stand nowhere left out.

        Raises EngineDown, Missing.
        """
        text = {name: " ".join(terms) for name, terms in wanted.items()}
        for _ in range(3):
            index, routes = self._routes
            if not routes:
                index, routes = self._routes = self._find_routes(alias)
            answers = self._ask(alias, text, routes)
            if all(answer["_index"] == index for answer in answers):
                break
            # Another index answers by now.
            self._routes = ("", ())
        return {name: _added(answers, name) for name in wanted}

    def _ask(self, alias: str, text: Mapping[str, str], routes: Sequence[str]) -> list[dict[str, Any]]:
        asked = {
            "_index": alias,
            "doc": text,
            "fields": list(text),
            "term_statistics": True,
            "field_statistics": True,
            "positions": False,
            "offsets": False,
            "payloads": False,
        }
        docs = [{**asked, "routing": route} for route in routes]
        answer = self.line.ask(MATCH, lambda client: client.mtermvectors(docs=docs))
        return whole(answer["docs"])

    def _find_routes(self, alias: str) -> tuple[str, tuple[str, ...]]:
        """The index's name, and one routing value that leads to each of its shards."""
        shards = self.line.ask(WRITE, lambda client: client.search_shards(index=alias))["shards"]
        if not shards:
            raise Missing(f"no index {alias}")
        index = shards[0][0]["index"]
        if len(shards) == 1:
            return index, ("0",)
        routes: dict[int, str] = {}
        number = 0
        while len(routes) < len(shards):
            route = str(number)
            reached = self.line.ask(WRITE, lambda client: client.search_shards(index=alias, routing=route))  # noqa: B023
            routes.setdefault(reached["shards"][0][0]["shard"], route)
            number += 1
        return index, tuple(routes.values())


def _added(answers: Sequence[Mapping[str, Any]], name: str) -> tuple[int, dict[str, int]]:
    total = 0
    known: Counter[str] = Counter()
    for answer in answers:
        vectors = answer.get("term_vectors", {}).get(name)
        if vectors is None:
            continue
        total += max(0, vectors.get("field_statistics", {}).get("doc_count", 0))
        for term, row in vectors["terms"].items():
            if found := row.get("doc_freq", 0):
                known[term] += found
    return total, dict(known)
