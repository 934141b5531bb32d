"""The engine that needs no server: tantivy in a folder of DATA_DIR.

    search/writer.lock      held by the one process that writes (flock)
    search/CURRENT          name of the generation that answers, replaced in one step
    search/g000001/         one generation: tantivy's files and about.json (analyser, fields, when built)
    search/DAMAGED          written when reading failed; the next drain makes a new generation

A rebuild fills a new generation while the current one answers and takes writes; these go into the new one before
CURRENT moves. A process killed in the middle leaves the old generation and a folder that the next writer removes.

Readers look at CURRENT and at the index's meta.json before every question, so they see every commit of every process at
once. An index that is missing, damaged or made with another analyser raises EngineDown until `rebuild` has run.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import tantivy

from .. import scoring
from ..query import DEPTH_LIMIT, Document, Hit, Query, Results
from . import EngineBusy, EngineDown, Status, generations
from . import tantivy_documents as fields
from . import tantivy_queries as queries
from . import tantivy_reading as reading
from .locks import FileLock
from .tantivy_queries import Asked
from .values import ORDER_FIELDS, TOMBSTONE

logger = logging.getLogger(__name__)

# Bytes that tantivy may use before it writes a segment; one thread, so that one input makes one index. A rebuild takes
# more: of a few large segments every question is answered sooner than of many small ones.
WRITER_MEMORY = 32_000_000
REBUILD_MEMORY = 256_000_000
# So many documents are held at once while all are read.
SCAN_PAGE = 20_000


@contextmanager
def _sound(what: str) -> Iterator[None]:
    """Turn what tantivy raises (also its panics, which are no Exception) into EngineDown."""
    try:
        yield
    except EngineDown:
        raise
    except (ValueError, OSError) as error:
        raise EngineDown(f"{what}: {error}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise EngineDown(f"{what}: {error}") from None


@dataclass
class _Open:
    """A generation as it was when it was last looked at."""

    folder: Path
    stamp: tuple[int, int, int]
    index: tantivy.Index
    searcher: tantivy.Searcher
    changed_at: datetime


@dataclass
class _Building:
    """A generation that is being filled, and what was written to the current one since it was begun, newest by id.

    A removal stands as its version alone.
    """

    folder: Path
    written: dict[str, Document | int] = field(default_factory=dict)


class EmbeddedEngine:
    """See the module. One instance a process; its methods may be called from several threads."""

    name = "embedded"
    has_one_writer = True

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._file_lock = FileLock(self.folder / "writer.lock")
        self._writing = threading.RLock()
        self._reading = threading.Lock()
        self._open: _Open | None = None
        self._writer: tantivy.IndexWriter | None = None
        self._kept = False
        self._depth = 0
        self._building: _Building | None = None

    # Reading

    def _reader(self) -> _Open:
        """The newest state of the current generation. Raises EngineDown where it cannot be read."""
        with self._reading:
            for attempt in (1, 2):
                folder = generations.current(self.folder)
                try:
                    found = os.stat(folder / "meta.json")
                except OSError as error:
                    # Between reading CURRENT and here another process may have swapped and removed the folder.
                    if attempt == 1:
                        continue
                    raise EngineDown(f"generation {folder.name} is gone") from error
                stamp = (found.st_mtime_ns, found.st_ino, found.st_size)
                known = self._open
                if known is None or known.folder != folder or known.stamp != stamp:
                    self._open = self._read(folder, stamp, known)
                break
            assert self._open is not None
            return self._open

    def _read(self, folder: Path, stamp: tuple[int, int, int], known: _Open | None) -> _Open:
        if reason := generations.outdated(folder):
            raise EngineDown(reason)
        with self._noticing_damage(), _sound("the index cannot be opened"):
            if known is not None and known.folder == folder:
                index = known.index
            else:
                index = fields.prepare(tantivy.Index.open(str(folder)))
            index.reload()
            changed = datetime.fromtimestamp(stamp[0] / 1e9, UTC)
            return _Open(folder, stamp, index, index.searcher(), changed)

    @contextmanager
    def _noticing_damage(self) -> Iterator[None]:
        try:
            yield
        except EngineDown as error:
            logger.error("search index: %s", error)
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "DAMAGED").write_text(str(error))
            raise

    def refresh(self) -> None:
        self._reader()

    def find(self, query: Query) -> Results:
        view = self._reader()
        schema, searcher = view.index.schema, view.searcher
        text = queries.strict(schema, query.text)
        if query.text.strip() and text is None:
            # Punctuation alone asks for nothing that could stand in a text: nobody would count all documents.
            return Results(engine=self.name, index_time=view.changed_at)
        asked = Asked(schema, text, queries.filters(schema, query), query.excluding)
        with self._noticing_damage(), _sound("the index cannot be read"):
            page = _page(searcher, asked, query)
            loosened = False
            if asked.text is not None and page.total == 0 and not _anywhere(searcher, asked):
                for softer in queries.relaxed(schema, query.text):
                    found = _page(searcher, asked.softened(softer), query)
                    if found.total:
                        asked, page, loosened = asked.softened(softer), found, True
                        break
            counted = _facets(searcher, asked, query.facets)
        return Results(page.hits, page.total, counted, loosened, self.name, view.changed_at)

    def similar(
        self, document: Document, *, kinds: Sequence[str] = (), limit: int = scoring.FIRST, exclude_owner: str = ""
    ) -> list[Hit]:
        view = self._reader()
        schema, searcher = view.index.schema, view.searcher
        wanted = scoring.boosts(document.title, document.rest)
        with self._noticing_damage(), _sound("the index cannot be read"):
            text = queries.weighted(schema, scoring.heaviest(wanted, searcher.doc_freq, searcher.num_docs))
            if text is None or limit < 1:
                return []
            parts = {"kind": queries.any_of(schema, "kind", kinds)} if kinds else {}
            clauses = [(tantivy.Occur.Must, Asked(schema, text, parts).question())]
            if document.id:
                clauses.append((tantivy.Occur.MustNot, queries.term(schema, "id", document.id)))
            if exclude_owner:
                clauses.append((tantivy.Occur.MustNot, queries.term(schema, "owner", exclude_owner)))
            rows, _ = reading.best(searcher, tantivy.Query.boolean_query(clauses), limit, count=False)
            return _hits(searcher, rows, kinds)

    def frequencies(self, field: str, terms: Iterable[str]) -> tuple[int, dict[str, int]]:
        searcher = self._reader().searcher
        with self._noticing_damage(), _sound("the index cannot be read"):
            return searcher.num_docs, {term: searcher.doc_freq(field, term) for term in set(terms)}

    def versions(self) -> dict[str, int]:
        view = self._reader()
        with self._noticing_damage(), _sound("the index cannot be read"):
            question = Asked(view.index.schema).question()
            found = view.searcher.search(question, limit=max(1, view.searcher.num_docs), count=False)
            where = [address for _, address in found.hits]
            versions = view.searcher.fast_field_values("version", where)
            named = zip(reading.names(view.searcher, where), versions, strict=True)
            return {name: int(version or 0) for name, version in named}

    def held(self, ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
        view = self._reader()
        with self._noticing_damage(), _sound("the index cannot be read"):
            return reading.known(view.searcher, view.index.schema, list(ids))

    def scan(self) -> Iterator[tuple[str, str, int]]:
        view = self._reader()
        everything = tantivy.Query.all_query()
        for start in range(0, view.searcher.num_docs, SCAN_PAGE):
            with self._noticing_damage(), _sound("the index cannot be read"):
                # Of one searcher and of equal scores: the order is the documents' own and holds from page to page.
                found = view.searcher.search(everything, limit=SCAN_PAGE, count=False, offset=start)
                page = [reading.stored(view.searcher, address) for _, address in found.hits]
            yield from page

    # Writing

    def hold(self) -> bool:
        """Become the writer until `close`: what the site does. False where another process is."""
        with self._writing:
            if not self._kept and self._file_lock.acquire():
                self._kept = True
                self._clear()
            return self._kept

    def _clear(self) -> None:
        """Remove what a writer that was killed in a rebuild has left."""
        if self._building is not None:
            return
        try:
            generations.clear(self.folder, keep=generations.current(self.folder))
        except EngineDown:
            return

    @contextmanager
    def writing(self) -> Iterator[None]:
        with self._writing:
            if not self._file_lock.acquire():
                raise EngineBusy("another process writes the index")
            self._depth += 1
            try:
                yield
            finally:
                self._depth -= 1
                if not self._depth and not self._kept:
                    self._release()

    def _release(self) -> None:
        self._close_writer()
        self._file_lock.release()

    def _close_writer(self) -> None:
        if self._writer is None:
            return
        writer, self._writer = self._writer, None
        # Waiting for merges also lets tantivy's own lock go; a broken writer has nothing left to wait for.
        try:
            with _sound("closing the index"):
                writer.wait_merging_threads()
        except EngineDown as error:
            logger.warning("search index: %s", error)

    @contextmanager
    def _changing(self) -> Iterator[tuple[_Open, tantivy.IndexWriter]]:
        """Reader and writer under the lock; everything written inside is committed together or not at all."""
        with self.writing():
            view = self._reader()
            with _sound("the index cannot be written"):
                if self._writer is None:
                    self._writer = view.index.writer(WRITER_MEMORY, 1)
                try:
                    yield view, self._writer
                    self._writer.commit()
                except BaseException:
                    # A writer whose commit failed is of no use; the next change opens a new one.
                    self._writer = None
                    raise

    def put(self, documents: Iterable[Document]) -> dict[str, str]:
        newest = list(documents)
        with self._changing() as (view, writer):
            taken, refused = _put(view.searcher, view.index.schema, writer, newest)
        if self._building is not None:
            self._building.written |= {given.id: given for given in taken}
        return refused

    def drop(self, versions: Iterable[tuple[str, int]]) -> None:
        gone = list(versions)
        with self._changing() as (view, writer):
            taken = _drop(view.searcher, view.index.schema, writer, gone)
        if self._building is not None:
            self._building.written |= taken

    def rebuild(self, documents: Iterable[Document]) -> dict[str, str]:
        """See the protocol. Between two of its documents the caller may put and drop: the current generation shows it
        at once, the new one has it before it answers. Raises EngineBusy where a rebuild is running already.
        """
        with self.writing():
            if self._building is not None:
                raise EngineBusy("the index is being made anew already")
            self._building = building = _Building(generations.begin(self.folder))
            try:
                refused = self._fill(building, documents)
                generations.seal(building.folder)
            except BaseException:
                # The current generation goes on: leave nothing half made behind.
                shutil.rmtree(building.folder, ignore_errors=True)
                raise
            finally:
                self._building = None
            self._close_writer()
            generations.swap(self.folder, building.folder)
            return refused

    def _fill(self, building: _Building, documents: Iterable[Document]) -> dict[str, str]:
        """Write all documents and then what was written to the current generation meanwhile."""
        with _sound("the new index cannot be written"):
            index = fields.prepare(tantivy.Index(fields.schema(), str(building.folder)))
            writer = index.writer(REBUILD_MEMORY, 1)
        try:
            refused = _write_all(writer, documents)
            with _sound("the new index cannot be written"):
                writer.commit()
                if building.written:
                    _catch_up(index, writer, building)
        finally:
            # Also after a failure: its threads would go on and make the removed folder again.
            with _sound("the new index cannot be written"):
                writer.wait_merging_threads()
        return refused

    # State

    def needs_rebuild(self) -> str:
        damaged = self.folder / "DAMAGED"
        if damaged.exists():
            return f"damaged: {damaged.read_text()}"
        try:
            self._reader()
        except EngineDown as error:
            return str(error)
        return ""

    def status(self) -> Status:
        try:
            folder = generations.current(self.folder)
        except EngineDown as error:
            return Status(self.name, "missing", 0, 0, None, None, None, str(error))
        about = generations.about(folder)
        versions = (about.get("analyzer_version"), about.get("schema_version"))
        if reason := generations.outdated(folder):
            return Status(self.name, "outdated", 0, 0, None, *versions, reason)
        if reason := self.needs_rebuild():
            return Status(self.name, "damaged", 0, 0, None, *versions, reason)
        view = self._reader()
        gone = view.searcher.doc_freq("kind", TOMBSTONE)
        count = reading.total(view.searcher, Asked(view.index.schema).question())
        return Status(self.name, "ok", count, gone, view.changed_at, *versions)

    def close(self) -> None:
        with self._writing:
            self._kept = False
            self._release()
            self._open = None


@dataclass(frozen=True)
class _Page:
    hits: tuple[Hit, ...]
    total: int


def _page(searcher: tantivy.Searcher, asked: Asked, query: Query) -> _Page:
    """One page of hits and how many there are in all."""
    ordering = query.ordering or ("" if asked.text is not None else "-updated_at")
    limit = query.offset + query.page_size
    question = asked.question()
    if limit > DEPTH_LIMIT:
        return _Page((), reading.total(searcher, question))
    if not ordering:
        rows, total = reading.best(searcher, question, limit, count=True)
        return _Page(tuple(_hits(searcher, rows[query.offset :], query.kinds)), total)
    order = ORDER_FIELDS[ordering]
    found = searcher.search(question, query.page_size, True, order, query.offset, tantivy.Order.Desc)
    where = [address for _, address in found.hits]
    listed = [(0.0, name, at) for name, at in zip(reading.names(searcher, where), where, strict=True)]
    return _Page(tuple(_hits(searcher, listed, query.kinds)), reading.matched(found))


def _hits(searcher: tantivy.Searcher, rows: Sequence[reading.Scored], kinds: Sequence[str]) -> list[Hit]:
    """What is shown of the rows; the kind is read only where the question leaves it open."""
    if len(kinds) == 1:
        return [Hit(name, kinds[0], score) for score, name, _ in rows]
    return [Hit(name, reading.stored(searcher, address)[1], score) for score, name, address in rows]


def _anywhere(searcher: tantivy.Searcher, asked: Asked) -> bool:
    """True where a document of the kind contains all the words and only a filter leaves it out: nothing is relaxed."""
    return bool(searcher.search(asked.only("kind").question(), limit=1, count=False).hits)


def _facets(searcher: tantivy.Searcher, asked: Asked, names: Sequence[str]) -> dict[str, dict[str, int]]:
    """Counts made by the engine: one pass for all facets without a filter, one more for each that has one."""
    counted: dict[str, dict[str, int]] = {}
    plain = [name for name in names if name not in asked.parts]
    if plain:
        counted |= reading.counts(searcher, asked.question(), plain)
    for name in names:
        if name in asked.parts:
            counted |= reading.counts(searcher, asked.question(without=name), [name])
    return {name: counted[name] for name in names}


def _put(
    searcher: tantivy.Searcher, schema: tantivy.Schema, writer: tantivy.IndexWriter, documents: Sequence[Document]
) -> tuple[list[Document], dict[str, str]]:
    """Write those that are not older than what is known: (what was written, id → reason of those refused)."""
    known = reading.known(searcher, schema, [d.id for d in documents])
    taken: list[Document] = []
    refused: dict[str, str] = {}
    for given in documents:
        version, removed = known.get(given.id, (-1, False))
        if given.version < version or (removed and given.version == version):
            continue
        try:
            written = fields.document(given)
        except (ValueError, TypeError, OverflowError) as error:
            refused[given.id] = str(error)
            continue
        writer.delete_documents_by_term("id", given.id)
        writer.add_document(written)
        known[given.id] = (given.version, False)
        taken.append(given)
    return taken, refused


def _drop(
    searcher: tantivy.Searcher, schema: tantivy.Schema, writer: tantivy.IndexWriter, gone: Sequence[tuple[str, int]]
) -> dict[str, int]:
    """Put a tombstone in the place of each that is not newer than its removal: id → version of those."""
    known = reading.known(searcher, schema, [document_id for document_id, _ in gone])
    taken: dict[str, int] = {}
    for document_id, version in gone:
        if version < known.get(document_id, (-1, False))[0]:
            continue
        writer.delete_documents_by_term("id", document_id)
        writer.add_document(fields.tombstone(document_id, version))
        known[document_id] = (version, True)
        taken[document_id] = version
    return taken


def _write_all(writer: tantivy.IndexWriter, documents: Iterable[Document]) -> dict[str, str]:
    """Add documents to an empty index; id → reason of those refused. What the documents' iterator raises is its own."""
    refused: dict[str, str] = {}
    for given in documents:
        with _sound("the new index cannot be written"):
            try:
                writer.add_document(fields.document(given))
            except (ValueError, TypeError, OverflowError) as error:
                refused[given.id] = str(error)
    return refused


def _catch_up(index: tantivy.Index, writer: tantivy.IndexWriter, building: _Building) -> None:
    """Write into the new generation what went into the current one while it was filled, by the same rules."""
    index.reload()
    searcher = index.searcher()
    changed = building.written.items()
    _put(searcher, index.schema, writer, [given for _, given in changed if isinstance(given, Document)])
    _drop(searcher, index.schema, writer, [(name, version) for name, version in changed if isinstance(version, int)])
    writer.commit()
