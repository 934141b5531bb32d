"""The reference: the very question that our engine asks, built beforehand and given to the library below it.

Embedded: tantivy's searcher gives the page's hits with their number, reads their ids from the store, and counts each
facet. Elasticsearch: the same request bodies through the official client. What is left out is ours: parsing, analysis,
ordering equal scores by id, results as our own objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from search import scoring
from search.engines import Engine
from search.query import Document, Query

Ask = Callable[[], Any]


class Bare(Protocol):
    """Prepares questions for an engine's library; each answer is a call that can be timed."""

    name: str

    def find(self, query: Query) -> Ask: ...

    def similar(self, document: Document, kinds: tuple[str, ...], limit: int, owner: str) -> Ask: ...


def bare(engine: Engine) -> Bare:
    """The reference for an open engine."""
    return Tantivy(engine) if engine.name == "embedded" else Elastic(engine)


class Tantivy:
    """The searcher of the generation that answers now."""

    name = "tantivy"

    def __init__(self, engine: Any) -> None:
        view = engine._reader()
        self.schema, self.searcher = view.index.schema, view.searcher

    def find(self, query: Query) -> Ask:
        import tantivy

        from search.engines import tantivy_queries as queries
        from search.engines.tantivy_reading import BUCKETS
        from search.engines.values import ORDER_FIELDS

        text = queries.strict(self.schema, query.text)
        asked = queries.Asked(self.schema, text, queries.filters(self.schema, query), query.excluding)
        question = asked.question()
        plain = [name for name in query.facets if name not in asked.parts]
        counting = [(question, plain)] if plain else []
        counting += [(asked.question(without=name), [name]) for name in query.facets if name in asked.parts]
        passes = [(q, {name: {"terms": {"field": name, "size": BUCKETS}} for name in names}) for q, names in counting]
        ordering = query.ordering or ("" if text is not None else "-updated_at")
        order = ORDER_FIELDS.get(ordering)

        def ask() -> Any:
            found = self.searcher.search(question, query.page_size, True, order, query.offset, tantivy.Order.Desc)
            listed = [self.searcher.doc(address)["id"] for _, address in found.hits]
            return listed, [self.searcher.aggregate(q, wanted) for q, wanted in passes]

        return ask

    def similar(self, document: Document, kinds: tuple[str, ...], limit: int, owner: str) -> Ask:
        import tantivy

        from search.engines import tantivy_queries as queries

        wanted = scoring.boosts(document.title, document.rest)
        chosen = scoring.heaviest(wanted, self.searcher.doc_freq, self.searcher.num_docs)
        text = queries.weighted(self.schema, chosen)
        clauses = [(tantivy.Occur.Must, text), (tantivy.Occur.Must, queries.any_of(self.schema, "kind", kinds))]
        clauses.append((tantivy.Occur.MustNot, queries.term(self.schema, "id", document.id)))
        if owner:
            clauses.append((tantivy.Occur.MustNot, queries.term(self.schema, "owner", owner)))
        question = tantivy.Query.boolean_query(clauses)

        def ask() -> Any:
            found = self.searcher.search(question, limit=limit, count=False)
            return [self.searcher.doc(address)["id"] for _, address in found.hits]

        return ask


class Elastic:
    """The official client with the bodies that our engine sends, caught once before anything is timed."""

    name = "elasticsearch"

    def __init__(self, engine: Any) -> None:
        from elasticsearch import Elasticsearch

        self.engine = engine
        self.client = Elasticsearch(list(engine.line.nodes), request_timeout=60)

    def find(self, query: Query) -> Ask:
        return self._replay(lambda: self.engine.find(query))

    def similar(self, document: Document, kinds: tuple[str, ...], limit: int, owner: str) -> Ask:
        return self._replay(lambda: self.engine.similar(document, kinds=kinds, limit=limit, exclude_owner=owner))

    def _replay(self, ask: Ask) -> Ask:
        """What one question sends, sent again as it is."""
        sent: list[tuple[dict[str, Any], dict[str, Any]]] = []
        plain = self.engine._search

        def catching(seconds: float, body: dict[str, Any], **asked: Any) -> Any:
            sent.append((body, asked))
            return plain(seconds, body, **asked)

        self.engine._search = catching
        try:
            ask()
        finally:
            del self.engine._search
        index = self.engine.indexes.reading

        def again() -> Any:
            return [self.client.search(index=index, body=body, **asked) for body, asked in sent]

        return again
