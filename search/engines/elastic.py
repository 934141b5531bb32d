"""The engine on Elasticsearch 8: the same answers as the embedded one, on any number of machines.

Each write carries the row's version, so that writes may come twice, late and from many processes. A removal leaves a
document without text (kind "~"): Elasticsearch itself forgets a removed id's version after a minute. A rebuild fills a
new index while the old one answers and both take every write; one atomic step swaps them (`elastic_indexes`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from .. import scoring
from ..query import DEPTH_LIMIT, Document, Hit, Query, Results
from . import EngineDown, Status
from . import elastic_documents as fields
from . import elastic_queries as queries
from .elastic_bulk import Item, Written, chunks, send
from .elastic_client import FILL, LOOK, MATCH, SEARCH, WRITE, Line, Missing, whole
from .elastic_filling import fill, verify
from .elastic_indexes import Indexes
from .elastic_statistics import Statistics
from .values import ORDER_FIELDS, TOMBSTONE

logger = logging.getLogger(__name__)

# Equal scores may straddle an end of the page asked for: how many more hits are looked at in turn to order them by id.
MARGINS = (4, 128, DEPTH_LIMIT)
SCAN_PAGE = 5_000
# So long the index's age is known without asking again, in seconds.
AGE_KEPT = 2.0
# Of a hit only these columns are read, no stored document.
COLUMNS = {"_source": False, "stored_fields": "_none_", "docvalue_fields": ["id", "kind"]}

Row = tuple[float, str, str]


class ElasticEngine:
    """See the module. One instance a process; its methods may be called from several threads."""

    name = "elasticsearch"
    has_one_writer = False

    def __init__(self, nodes: Sequence[str], *, prefix: str, shards: int = 1, replicas: int = 0) -> None:
        self.line = Line(nodes)
        self.indexes = Indexes(self.line, prefix, shards, replicas)
        self._statistics = Statistics(self.line)
        self._age: tuple[float, datetime | None] = (0.0, None)

    # Reading

    def _search(self, seconds: float, body: dict[str, Any], **asked: Any) -> Any:
        """One search, whole or not at all. Raises EngineDown."""

        def search(client: Any) -> Any:
            return client.search(
                index=self.indexes.reading,
                body=body,
                allow_partial_search_results=False,
                # With several shards terms weigh the same in each; with one the server leaves the extra round out.
                search_type="dfs_query_then_fetch",
                **asked,
            )

        return self._reading(lambda: self.line.ask(seconds, search))

    def _reading(self, ask: Callable[[], Any]) -> Any:
        """Ask; where there is nothing that this code can read, say whether it is missing or outdated."""
        try:
            return ask()
        except Missing as error:
            live = self.indexes.live()
            why = "there is no index yet" if live is None else fields.outdated(live.about)
            raise EngineDown(why or str(error)) from error

    def refresh(self) -> None:
        self._reading(
            lambda: self.line.ask(WRITE, lambda client: client.indices.refresh(index=self.indexes.reading)),
        )

    def find(self, query: Query) -> Results:
        parts = queries.filters(query)
        text = queries.strict(query.text)
        if query.text.strip() and text is None:
            # Punctuation alone asks for nothing that could stand in a text: nobody would count all documents.
            return Results(engine=self.name, index_time=self._index_time())
        page, total, counted = self._page(query, text, parts)
        loosened = False
        if text is not None and total == 0 and not self._anywhere(text, parts, query.excluding):
            for softer in queries.relaxed(query.text):
                page, total, found = self._page(query, softer, parts)
                if total:
                    counted, loosened = found, True
                    break
        hits = tuple(Hit(name, kind, score) for score, name, kind in page)
        return Results(hits, total, counted, loosened, self.name, self._index_time())

    def _anywhere(self, text: queries.Part, parts: dict[str, queries.Part], excluding: Sequence[str]) -> bool:
        """True where a document of the kind contains all the words and only a filter leaves it out: nothing is
        relaxed.
        """
        if not parts.keys() - {"kind"}:
            return False
        kind = [part for name, part in parts.items() if name == "kind"]
        asked = queries.combined(text, kind, excluding)
        answer = self._search(SEARCH, {"query": asked, "size": 0, "terminate_after": 1, "track_total_hits": 1})
        return bool(answer["hits"]["total"]["value"])

    def _page(
        self, query: Query, text: queries.Part | None, parts: dict[str, queries.Part]
    ) -> tuple[list[Row], int, dict[str, dict[str, int]]]:
        """Hits, total and facets in one request (more where equal scores lie at an end of the page).

        A filter whose facet is counted stands after the counting (`post_filter`); total and hits obey all of them.
        """
        own = {name: part for name, part in parts.items() if name in query.facets}
        common = [part for name, part in parts.items() if name not in own]
        body: dict[str, Any] = {"query": queries.combined(text, common, query.excluding), "track_total_hits": True}
        if own:
            body["post_filter"] = queries.Bool(filter=list(own.values())).to_dict()
        counting = {"aggs": queries.facets(query, own)} if query.facets else {}
        ordering = query.ordering or ("" if text is not None else "-updated_at")
        if query.offset + query.page_size > DEPTH_LIMIT:
            rows: list[Row] = []
            answer = self._search(SEARCH, {**body, **counting, "size": 0})
        elif ordering:
            body |= {"sort": [{ORDER_FIELDS[ordering]: "desc"}, {"id": "asc"}], **COLUMNS}
            answer = self._search(SEARCH, {**body, **counting, "from": query.offset, "size": query.page_size})
            rows = _rows(answer)
        else:
            rows, answer = self._best(SEARCH, body | COLUMNS, query.offset, query.page_size, counting)
        counted = queries.counts(query, answer.get("aggregations", {}))
        return rows, int(answer["hits"]["total"]["value"]), counted

    def _best(
        self, seconds: float, body: dict[str, Any], offset: int, size: int, counting: dict[str, Any] | None = None
    ) -> tuple[list[Row], Any]:
        """The rows from `offset` on, best first, equal scores by id; and the first answer, with its counts."""
        first = None
        for margin in MARGINS:
            start, end = max(0, offset - margin), min(offset + size + margin, DEPTH_LIMIT)
            answer = self._search(seconds, {**body, **(counting or {}), "from": start, "size": end - start})
            first, counting = first or answer, {}
            rows = _rows(answer)
            last = min(len(rows), offset + size - start) - 1
            is_whole_before = not start or len(rows) <= offset - start or rows[0][0] > rows[offset - start][0]
            is_whole_after = len(rows) < end - start or end == DEPTH_LIMIT or rows[-1][0] < rows[last][0]
            if is_whole_before and is_whole_after:
                break
        rows.sort(key=lambda row: (-row[0], row[1]))
        return rows[offset - start : offset - start + size], first

    def similar(
        self, document: Document, *, kinds: Sequence[str] = (), limit: int = scoring.FIRST, exclude_owner: str = ""
    ) -> list[Hit]:
        wanted = scoring.boosts(document.title, document.rest)
        known = self._known_terms({name: list(wanted[name]) for name in scoring.FIELDS})
        total = max((count for count, _ in known.values()), default=0)
        chosen = scoring.heaviest(wanted, lambda name, term: known[name][1].get(term, 0), total)
        if not chosen or limit < 1:
            return []
        # Nothing but the terms stands in the query, and all hits are counted: so the server adds up whole postings at
        # once, in half the time of skipping through them beside a filter. Who may be in is looked at afterwards.
        never = [queries.Term("id", {"value": document.id})] if document.id else []
        never += [queries.Term("owner", {"value": exclude_owner})] if exclude_owner else []
        body: dict[str, Any] = {
            "query": {"bool": {"should": queries.weighted(chosen)}},
            "track_total_hits": True,
            **COLUMNS,
        }
        if kinds or never:
            within = [queries.Terms("kind", list(kinds))] if kinds else []
            body["post_filter"] = queries.Bool(filter=within, must_not=never).to_dict()
        rows, _ = self._best(MATCH, body, 0, min(limit, DEPTH_LIMIT))
        return [Hit(name, kind, score) for score, name, kind in rows]

    def _known_terms(self, wanted: dict[str, list[str]]) -> dict[str, tuple[int, dict[str, int]]]:
        return self._reading(lambda: self._statistics.of(self.indexes.reading, wanted))

    def frequencies(self, field: str, terms: Iterable[str]) -> tuple[int, dict[str, int]]:
        asked = list(set(terms))
        total, known = self._known_terms({field: asked})[field]
        return total, {term: known.get(term, 0) for term in asked}

    def _index_time(self) -> datetime | None:
        """When the index last took in a change, known for two seconds."""
        known_until, when = self._age
        if time.monotonic() < known_until:
            return when
        when = _moment(self._search(SEARCH, {"size": 0, "aggs": {"last": {"max": {"field": "indexed_at"}}}}))
        self._age = time.monotonic() + AGE_KEPT, when
        return when

    def held(self, ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
        names = list(dict.fromkeys(ids))
        if not names:
            return {}
        reading = self.indexes.reading

        def look() -> Any:
            answer = self.line.ask(WRITE, lambda client: client.mget(index=reading, ids=names, source=["kind"]))
            return whole(answer["docs"])

        rows = self._reading(look)
        return {row["_id"]: (row["_version"], row["_source"]["kind"] == TOMBSTONE) for row in rows if row.get("found")}

    def scan(self) -> Iterator[tuple[str, str, int]]:
        self.refresh()
        reading = self.indexes.reading
        opened = self._reading(
            lambda: self.line.ask(WRITE, lambda client: client.open_point_in_time(index=reading, keep_alive="2m"))
        )
        pit, after = opened["id"], None
        try:
            while True:
                answer = self.line.ask(FILL, lambda client: client.search(body=_scan_page(pit, after)))  # noqa: B023
                if answer["_shards"]["failed"] or answer["timed_out"]:
                    raise EngineDown("the index cannot be read to its end: a shard failed")
                rows = answer["hits"]["hits"]
                for row in rows:
                    yield row["fields"]["id"][0], row["fields"]["kind"][0], row["_version"]
                if len(rows) < SCAN_PAGE:
                    return
                pit, after = answer["pit_id"], rows[-1]["sort"]
        finally:
            self._close_point_in_time(pit)

    def _close_point_in_time(self, pit: str) -> None:
        try:
            self.line.ask(LOOK, lambda client: client.close_point_in_time(id=pit))
        except EngineDown as error:
            logger.info("search: a point in time ends by itself: %s", error)

    def versions(self) -> dict[str, int]:
        return {name: version for name, kind, version in self.scan() if kind != TOMBSTONE}

    # Writing

    def hold(self) -> bool:
        """True: any number of processes may write at once."""
        return True

    @contextmanager
    def writing(self) -> Iterator[None]:
        yield

    def put(self, documents: Iterable[Document]) -> dict[str, str]:
        refused: dict[str, str] = {}

        def items() -> Iterator[Item]:
            for given in documents:
                try:
                    yield given.id, *fields.document(given)
                except (ValueError, TypeError, OverflowError) as error:
                    refused[given.id] = str(error)

        written = self._write(items())
        return refused | written.refused

    def drop(self, versions: Iterable[tuple[str, int]]) -> None:
        written = self._write((name, *fields.tombstone(name, version)) for name, version in versions)
        if written.refused:
            raise EngineDown(f"removals were refused: {next(iter(written.refused.items()))}")

    def _write(self, items: Iterable[Item]) -> Written:
        """Write into every index that takes writes; what this returns after can be found. Raises EngineDown."""
        done = Written()
        for chunk in chunks(items):
            done.add(self._write_chunk(chunk))
        if done.changed:
            self.refresh_written()
        return done

    def _write_chunk(self, chunk: list[Item]) -> Written:
        done = Written()
        written: set[str] = set()
        for _ in range(3):
            names, _live = self.indexes.targets()
            try:
                for name in names:
                    if name not in written:
                        done.add(send(self.line, name, chunk, WRITE))
                        written.add(name)
            except Missing as error:
                # A rebuild was swapped in or given up since its name was read: look again where writes go.
                logger.info("search: %s", error)
                continue
            return done
        raise EngineDown("the indexes change faster than they can be written")

    def refresh_written(self) -> None:
        """Make findable what was written; where only a new index is being filled there is nothing to be found yet."""
        try:
            self.line.ask(WRITE, lambda client: client.indices.refresh(index=self.indexes.reading))
        except Missing as error:
            logger.info("search: %s", error)

    def rebuild(self, documents: Iterable[Document]) -> dict[str, str]:
        name = self.indexes.begin()
        try:
            filled = fill(self.line, name, documents)
            self.indexes.ready(name)
            verify(self.line, name, filled)
        except BaseException:
            self.indexes.discard(name)
            raise
        # Not undone where this fails: a swap whose answer was lost may still come to pass. The next rebuild clears up.
        self.indexes.swap(name)
        logger.info("search: %s answers, %d documents", name, filled.written.created)
        return filled.written.refused

    def rollback(self) -> str:
        """Let the index before this one answer again and return its name; what was written since it was replaced is
        not in it: reconcile afterwards. Raises EngineDown where there is none that this code can read.
        """
        kept = self.indexes.previous()
        if kept is None:
            raise EngineDown("no earlier index is kept")
        if why := fields.outdated(kept.about):
            raise EngineDown(why)
        self.indexes.swap(kept.name, was_building=False)
        return kept.name

    # State

    def needs_rebuild(self) -> str:
        """As of the protocol. Raises EngineDown where the servers do not answer, or a newer version made the index."""
        live = self.indexes.live()
        if live is None:
            return "there is no index yet"
        why = fields.outdated(live.about)
        if why and fields.is_newer(live.about):
            raise EngineDown(why)
        return why

    def status(self) -> Status:
        try:
            live = self.indexes.live()
            if live is None:
                return Status(self.name, "missing", 0, 0, None, None, None, "there is no index yet")
            versions = (live.about.get("analyzer_version"), live.about.get("schema_version"))
            if why := fields.outdated(live.about):
                return Status(self.name, "outdated", 0, 0, None, *versions, why)
        except EngineDown as error:
            return Status(self.name, "down", 0, 0, None, None, None, str(error))
        try:
            gone = {"filter": {"term": {"kind": TOMBSTONE}}}
            counting = {"gone": gone, "last": {"max": {"field": "indexed_at"}}}
            answer = self._search(LOOK, {"size": 0, "track_total_hits": True, "aggs": counting})
        except EngineDown as error:
            return Status(self.name, "damaged", 0, 0, None, *versions, str(error))
        tombstones = int(answer["aggregations"]["gone"]["doc_count"])
        documents = int(answer["hits"]["total"]["value"]) - tombstones
        return Status(self.name, "ok", documents, tombstones, _moment(answer), *versions, live.name)

    def close(self) -> None:
        self.line.end()


def _rows(answer: Any) -> list[Row]:
    """(score, id, kind) of each hit; scores are rounded as both engines compare them."""
    return [
        (round((row["_score"] or 0.0) * fields.SCALE, 4), row["fields"]["id"][0], row["fields"]["kind"][0])
        for row in answer["hits"]["hits"]
    ]


def _scan_page(pit: str, after: Any) -> dict[str, Any]:
    body = {
        "pit": {"id": pit, "keep_alive": "2m"},
        "size": SCAN_PAGE,
        "sort": ["_shard_doc"],
        "track_total_hits": False,
        "version": True,
        **COLUMNS,
    }
    return body if after is None else {**body, "search_after": after}


def _moment(answer: Any) -> datetime | None:
    """The time that a `max` of `indexed_at` found."""
    value = answer["aggregations"]["last"]["value"]
    return None if value is None else datetime.fromtimestamp(value / 1000, UTC)
