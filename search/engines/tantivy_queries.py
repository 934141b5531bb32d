"""Our questions as tantivy queries, built from terms: user text never reaches a query parser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import tantivy
from tantivy import FieldType, Occur

from ..query import Query, term_of
from ..scoring import Weighted
from ..text import tokens, words
from .values import TOMBSTONE, bound

Clauses = list[tuple[Occur, tantivy.Query]]

# i64 bounds for an open side.
_LOWEST, _HIGHEST = -(1 << 62), 1 << 62


def term(schema: tantivy.Schema, field: str, value: str) -> tantivy.Query:
    """One term query; text fields count how often the term stands, the others only whether."""
    return tantivy.Query.term_query(schema, field, value, "freq" if field in ("uni", "bi") else "basic")


def unscored(query: tantivy.Query) -> tantivy.Query:
    """Make a filter: it decides who is in, never how high."""
    return tantivy.Query.const_score_query(query, 0.0)


def any_of(schema: tantivy.Schema, name: str, values: Iterable[str]) -> tantivy.Query:
    """Documents with any of these raw terms."""
    wanted = list(values)
    if len(wanted) == 1:
        # Its list is walked along with the words'; a set of terms is first gathered as a whole.
        return unscored(term(schema, name, wanted[0]))
    return unscored(tantivy.Query.term_set_query(schema, name, wanted))


def filters(schema: tantivy.Schema, query: Query) -> dict[str, tantivy.Query]:
    """Name → filter for the kinds, facets and ranges of a query, apart so that a facet can be counted without its
    own.
    """
    found: dict[str, tantivy.Query] = {}
    if query.kinds:
        found["kind"] = any_of(schema, "kind", query.kinds)
    for name, values in query.filters.items():
        if values:
            found[name] = any_of(schema, name, [term_of(name, value) for value in values])
    for name, (low, high) in query.ranges.items():
        if low is not None or high is not None:
            lowest = _LOWEST if low is None else bound(low)
            highest = _HIGHEST if high is None else bound(high)
            found[f"range {name}"] = unscored(
                tantivy.Query.range_query(schema, name, FieldType.Integer, lowest, highest)
            )
    return found


def strict(schema: tantivy.Schema, text: str) -> tantivy.Query | None:
    """Every term of every typed word must stand in a hit; ranked by both fields with boost 1. None without a word."""
    required = _required(text)
    if not required:
        return None
    clauses: Clauses = [(Occur.Must, term(schema, field, value)) for field, value in required]
    analysed = tokens(text)
    ranking = [("uni", t) for t in analysed.uni] + [("bi", t) for t in analysed.bi]
    clauses += [(Occur.Should, term(schema, f, t)) for f, t in dict.fromkeys(ranking) if (f, t) not in required]
    return tantivy.Query.boolean_query(clauses)


def relaxed(schema: tantivy.Schema, text: str) -> list[tantivy.Query]:
    """What to try in turn when nothing contains all: any whole word, half of the terms, any term.

    Only terms that the strict question required count: single characters of a word would "find" 氢能 in whatever says
    智能.
    """
    found: list[tantivy.Query] = []
    typed = words(text)
    if len(typed) > 1:
        whole = [
            tantivy.Query.boolean_query([(Occur.Must, term(schema, field, value)) for field, value in word.terms])
            for word in typed
        ]
        found.append(tantivy.Query.boolean_query([(Occur.Should, word) for word in whole]))
    required = _required(text)
    clauses: Clauses = [(Occur.Should, term(schema, field, value)) for field, value in required]
    steps = dict.fromkeys(n for n in (math.ceil(len(required) / 2), 1) if n < len(required))
    found += [tantivy.Query.boolean_query(clauses, minimum_number_should_match=least) for least in steps]
    return found


def _required(text: str) -> dict[tuple[str, str], None]:
    return dict.fromkeys(term for word in words(text) for term in word.terms)


def weighted(schema: tantivy.Schema, chosen: Sequence[Weighted]) -> tantivy.Query | None:
    """The `should` of a match: each term query with its boost, scores of both fields added. None without a term."""
    if not chosen:
        return None
    return tantivy.Query.boolean_query(
        [(Occur.Should, tantivy.Query.boost_query(term(schema, w.field, w.term), float(w.boost))) for w in chosen]
    )


@dataclass(frozen=True)
class Asked:
    """One question in parts: the text or None, the filters by name, and the ids that the answer must not know of."""

    schema: tantivy.Schema
    text: tantivy.Query | None = None
    parts: Mapping[str, tantivy.Query] = field(default_factory=dict)
    excluding: Sequence[str] = ()

    def question(self, *, without: str = "") -> tantivy.Query:
        """All of it together; `without` leaves one filter out. Never a tombstone."""
        chosen = [query for name, query in self.parts.items() if name != without]
        clauses: Clauses = [(Occur.Must, query) for query in chosen]
        if self.text is not None:
            clauses.append((Occur.Must, self.text))
        if not clauses:
            clauses.append((Occur.Must, unscored(tantivy.Query.all_query())))
        if self.text is None and (without == "kind" or "kind" not in self.parts):
            # A tombstone has no words and no kind of ours: only a question without either would meet one.
            clauses.append((Occur.MustNot, term(self.schema, "kind", TOMBSTONE)))
        if self.excluding:
            clauses.append((Occur.MustNot, any_of(self.schema, "id", self.excluding)))
        return tantivy.Query.boolean_query(clauses)

    def only(self, *names: str) -> Asked:
        """The same with some of its filters alone."""
        return replace(self, parts={name: part for name, part in self.parts.items() if name in names})

    def softened(self, text: tantivy.Query) -> Asked:
        """The same with another text."""
        return replace(self, text=text)
