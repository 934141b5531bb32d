"""Our questions as Elasticsearch's, built from terms: user text never reaches a query parser or an analyser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from elasticsearch.dsl.query import Bool, ConstantScore, Ids, MatchAll, Range, Term, Terms
from elasticsearch.dsl.query import Query as Part

from ..query import Query, term_of
from ..scoring import Weighted
from ..text import tokens, words
from .values import TOMBSTONE, bound

# More values than any code list of ours has.
BUCKETS = 2_000


def term(field: str, value: str) -> Part:
    """One term query; it scores where it does not stand in a filter."""
    return Term(field, {"value": value})


def filters(query: Query) -> dict[str, Part]:
    """Name → filter for the kinds, facets and ranges of a query, apart so that a facet can be counted without its
    own.
    """
    found: dict[str, Part] = {}
    if query.kinds:
        found["kind"] = Terms(kind=list(query.kinds))
    for name, values in query.filters.items():
        if values:
            found[name] = Terms(name, [term_of(name, value) for value in values])
    for name, (low, high) in query.ranges.items():
        limits = {key: bound(value) for key, value in (("gte", low), ("lte", high)) if value is not None}
        if limits:
            found[f"range {name}"] = Range(name, limits)
    return found


def _required(text: str) -> dict[tuple[str, str], None]:
    return dict.fromkeys(term for word in words(text) for term in word.terms)


def strict(text: str) -> Part | None:
    """Every term of every typed word must stand in a hit; ranked by both fields with boost 1. None without a word."""
    required = _required(text)
    if not required:
        return None
    analysed = tokens(text)
    ranking = dict.fromkeys([("uni", t) for t in analysed.uni] + [("bi", t) for t in analysed.bi])
    return Bool(
        must=[term(field, value) for field, value in required],
        should=[term(field, value) for field, value in ranking if (field, value) not in required],
    )


def relaxed(text: str) -> list[Part]:
    """What to try in turn when nothing contains all: any whole word, half of the terms, any term.

    Only terms that the strict question required count: single characters of a word would "find" 氢能 in whatever says
    智能.
    """
    found: list[Part] = []
    typed = words(text)
    if len(typed) > 1:
        whole: list[Part] = [Bool(must=[term(field, value) for field, value in word.terms]) for word in typed]
        found.append(Bool(should=whole, minimum_should_match=1))
    required = _required(text)
    steps = dict.fromkeys(n for n in (math.ceil(len(required) / 2), 1) if n < len(required))
    clauses = [term(field, value) for field, value in required]
    found += [Bool(should=clauses, minimum_should_match=least) for least in steps]
    return found


def combined(text: Part | None, parts: Iterable[Part], excluding: Sequence[str] = ()) -> dict[str, Any]:
    """Text and filters together, without the ids left out. Never a tombstone: it has no text and a kind of its own."""
    kept = list(parts)
    never: list[Part] = [Ids(values=list(excluding))] if excluding else []
    if text is None:
        never.append(Term(kind=TOMBSTONE))
    asked = Bool(must=[text] if text is not None else [], filter=kept, must_not=never)
    return (asked if text is not None else ConstantScore(filter=asked)).to_dict()


def weighted(chosen: Sequence[Weighted]) -> list[dict[str, Any]]:
    """The `should` of a match: each term with its boost, scores of both fields added."""
    return [{"term": {w.field: {"value": w.term, "boost": float(w.boost)}}} for w in chosen]


def facets(query: Query, own: Mapping[str, Part]) -> dict[str, Any]:
    """Counts of every asked facet in one pass: each under all the filters of `own` but its own."""
    counted: dict[str, Any] = {}
    for name in query.facets:
        others = [part for other, part in own.items() if other != name]
        terms = {"terms": {"field": name, "size": BUCKETS}}
        inside = Bool(filter=others) if others else MatchAll()
        counted[name] = {"filter": inside.to_dict(), "aggs": {"codes": terms}} if others else terms
    return counted


def counts(query: Query, answered: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """What `facets` asked for, as {facet: {value: documents}}."""
    found = {}
    for name in query.facets:
        answer = answered[name]
        buckets = answer["codes"]["buckets"] if "codes" in answer else answer["buckets"]
        found[name] = {row["key"]: int(row["doc_count"]) for row in buckets}
    return found
