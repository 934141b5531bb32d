"""What is read back of the embedded index: ids, versions, counts; of many from columns, not from the store.

Reading one document's store costs as much as reading a column for a hundred, and a question looks at more hits than it
shows.
"""

from __future__ import annotations

from collections.abc import Sequence

import tantivy

from .. import scoring
from ..query import DEPTH_LIMIT
from .tantivy_documents import ID_NUMBERS, unpack

# Equal scores may straddle the last place asked for: how many more hits are looked at to order them by id.
TIE_MARGIN = 64
# More values than any code list of ours has.
BUCKETS = 2_000
# Ids that are looked up at once.
LOOKUP = 1_000

Scored = tuple[float, str, tantivy.DocAddress]


def matched(found: tantivy.SearchResult) -> int:
    """How many documents a search matched; the wheel's stubs leave the attribute out."""
    return int(found.count)  # type: ignore[attr-defined]


def total(searcher: tantivy.Searcher, question: tantivy.Query) -> int:
    """How many documents a question matches."""
    return matched(searcher.search(question, limit=1, count=True))


def stored(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> tuple[str, str, int]:
    """Id, kind and version as they were written."""
    kept = searcher.doc(address)
    return kept["id"][0], kept["kind"][0], kept["version"][0]


def names(searcher: tantivy.Searcher, addresses: Sequence[tantivy.DocAddress]) -> list[str]:
    """The ids of many documents, in their order."""
    where = list(addresses)
    first, last = (searcher.fast_field_values(name, where) for name in ID_NUMBERS)
    return [
        unpack(int(a or 0), int(b or 0)) or stored(searcher, address)[0]
        for a, b, address in zip(first, last, where, strict=True)
    ]


def best(searcher: tantivy.Searcher, question: tantivy.Query, limit: int, *, count: bool) -> tuple[list[Scored], int]:
    """The best `limit` hits by score, equal ones by id, and how many there are (0 where nobody wants to know)."""
    asked = limit + TIE_MARGIN
    while True:
        found = searcher.search(question, limit=asked, count=count)
        hits = found.hits
        if len(hits) < asked or round(hits[-1][0], 4) < round(hits[limit - 1][0], 4) or asked > DEPTH_LIMIT:
            break
        asked *= 4
    # What scores below the last place cannot come into it: no id of it is read.
    least = round(hits[limit - 1][0], 4) if len(hits) >= limit else 0.0
    hits = [hit for hit in hits if round(hit[0], 4) >= least]
    named = dict(zip(names(searcher, [address for _, address in hits]), hits, strict=True))
    ordered = scoring.ranked([(score, name) for name, (score, _) in named.items()], limit)
    return [(score, name, named[name][1]) for score, name in ordered], matched(found) if count else 0


def known(searcher: tantivy.Searcher, schema: tantivy.Schema, ids: Sequence[str]) -> dict[str, tuple[int, bool]]:
    """id → (version, removed) of those among `ids` that the index knows."""
    found: dict[str, tuple[int, bool]] = {}
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), LOOKUP):
        chunk = unique[start : start + LOOKUP]
        question = tantivy.Query.term_set_query(schema, "id", chunk)
        where = [address for _, address in searcher.search(question, limit=len(chunk), count=False).hits]
        versions, gone = (searcher.fast_field_values(name, where) for name in ("version", "removed"))
        for name, version, removed in zip(names(searcher, where), versions, gone, strict=True):
            found[name] = (int(version or 0), bool(removed))
    return found


def counts(searcher: tantivy.Searcher, question: tantivy.Query, facets: Sequence[str]) -> dict[str, dict[str, int]]:
    """{facet: {value: documents}} for all the facets in one pass over the hits."""
    asked = {name: {"terms": {"field": name, "size": BUCKETS}} for name in facets}
    answer = searcher.aggregate(question, asked)
    return {name: {row["key"]: int(row["doc_count"]) for row in answer[name]["buckets"]} for name in facets}
