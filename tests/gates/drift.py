"""Faults put between database and index past the product, for the reconciling to find: half on either side."""

from __future__ import annotations

import random
import time
from typing import Any

from . import judge
from .world import PREFIX, World

# Change what should be found without a change row …
MISSED, HIDDEN, SHOWN = "missed", "hidden", "shown"
# … or what is held.
REMOVED, ADDED = "removed", "added"


def inject(world: World, count: int, chance: random.Random) -> dict[str, list[str]]:
    """Make `count` differences, each of another number: kind of fault → numbers. Nobody may hold the embedded index."""
    public = sorted(judge.wanted(world))
    chance.shuffle(public)
    hidden = [number for _, number in _withdrawn(world)]
    share = count // 5
    found = {SHOWN: hidden[:share]}
    left = count - share - len(found[SHOWN])
    for name in (MISSED, HIDDEN, REMOVED):
        size = share if name != REMOVED else left - 2 * share
        found[name], public = public[:size], public[size:]
    if any(len(found[name]) < 1 for name in (MISSED, HIDDEN, REMOVED)) or not public:
        raise ValueError("too few listings for so many faults")
    found[ADDED] = [f"CG-2026-ZZ{place:04d}" for place in range(share)]
    for number in found[MISSED]:
        world.change("UPDATE cms_listingrecord SET search_version = search_version + 1 WHERE number = ?", number)
    for number in found[HIDDEN]:
        _set_live(world, number, False)
    for number in found[SHOWN]:
        _set_live(world, number, True)
    change = _change_elastic if world.elastic is not None else _change_embedded
    change(world, found[REMOVED], found[ADDED])
    return found


def _withdrawn(world: World) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for table in judge.TABLES:
        found = world.sql(
            f"SELECT r.number FROM cms_{table} l JOIN cms_listingrecord r ON r.id = l.record_id"
            " WHERE NOT l.live AND l.disclosure_level <> 'L3' AND r.withdrawn_at IS NOT NULL ORDER BY r.number"
        )
        rows += [(table, number) for (number,) in found]
    return rows


def _set_live(world: World, number: str, is_live: bool) -> None:
    for table in judge.TABLES:
        world.change(
            f"UPDATE cms_{table} SET live = ? WHERE record_id ="
            " (SELECT id FROM cms_listingrecord WHERE number = ? AND kind = ?)",
            is_live,
            number,
            table,
        )


def _change_elastic(world: World, removed: list[str], added: list[str]) -> None:
    assert world.elastic is not None
    url = world.elastic.url
    index = next(iter(judge.ask_elastic(url, "GET", f"/_alias/{PREFIX}")))
    # A lost document is unknown to the index. For a minute after this removal it would still remember the number, with
    # a version that no repair may undercut.
    judge.ask_elastic(url, "PUT", f"/{index}/_settings", {"index.gc_deletes": "0s"})
    for number in removed:
        judge.ask_elastic(url, "DELETE", f"/{index}/_doc/{number}")
    for _ in range(2):
        time.sleep(0.5)
        judge.ask_elastic(url, "POST", f"/{index}/_refresh")
    judge.ask_elastic(url, "PUT", f"/{index}/_settings", {"index.gc_deletes": None})
    like = judge.ask_elastic(url, "POST", f"/{index}/_search", {"size": 1, "query": {"term": {"kind": "achievement"}}})[
        "hits"
    ]["hits"][0]["_source"]
    for number in added:
        body: dict[str, Any] = {**like, "id": number}
        judge.ask_elastic(url, "PUT", f"/{index}/_doc/{number}?version=1&version_type=external", body)
    judge.ask_elastic(url, "POST", f"/{index}/_refresh")


def _change_embedded(world: World, removed: list[str], added: list[str]) -> None:
    import tantivy

    folder = world.folder / "search"
    index = tantivy.Index.open(str(folder / (folder / "CURRENT").read_text().strip()))
    index.register_tokenizer("whitespace", tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build())
    writer = index.writer(32_000_000, 1)
    for number in removed:
        writer.delete_documents_by_term("id", number)
    for number in added:
        document = tantivy.Document()
        document.add_text("id", number)
        document.add_text("kind", "achievement")
        document.add_text("uni", "装 置")
        document.add_text("bi", "装置")
        document.add_unsigned("version", 1)
        writer.add_document(document)
    writer.commit()
    writer.wait_merging_threads()
