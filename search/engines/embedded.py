"""The engine that needs no server: tantivy in a folder of DATA_DIR.

    search/writer.lock      held by the one process that writes (flock)
    search/CURRENT          name of the generation that answers, replaced in one step
    search/g000001/         one generation: tantivy's files and about.json (analyser, fields, when built)
    search/DAMAGED          written when reading failed; the next drain makes a new generation

Readers look at CURRENT and at the index's meta.json before every question, so they see every commit of every process at
once. An index that is missing, damaged or made with another analyser raises EngineDown until `rebuild` has run.
"""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tantivy

from .. import scoring
from ..query import DEPTH_LIMIT, SCHEMA_VERSION, Document, Hit, Query, Results
from ..text import ANALYZER_VERSION
from . import EngineBusy, EngineDown, Status
from . import tantivy_documents as fields
from . import tantivy_queries as queries
from .locks import FileLock

logger = logging.getLogger(__name__)

# Bytes that tantivy may use before it writes a segment; one thread, so that one input makes one index.
WRITER_MEMORY = 32_000_000
# Equal scores may straddle the last place asked for: how many more hits are looked at to order them by id.
TIE_MARGIN = 64
# More values than any code list of ours has.
BUCKETS = 2_000
# So many documents are held at once while all are read.
SCAN_PAGE = 20_000
_GENERATION = re.compile(r"g\d{6,}")


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

    # Reading

    def _current(self) -> Path:
        try:
            name = (self.folder / "CURRENT").read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise EngineDown("there is no index yet") from error
        if not _GENERATION.fullmatch(name):
            raise EngineDown(f"CURRENT names no generation: {name[:20]!r}")
        return self.folder / name

    def _reader(self) -> _Open:
        """The newest state of the current generation. Raises EngineDown where it cannot be read."""
        with self._reading:
            for attempt in (1, 2):
                folder = self._current()
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
        if reason := _outdated(folder):
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
        parts = queries.filters(schema, query)
        text = queries.strict(schema, query.text)
        if query.text.strip() and text is None:
            # Punctuation alone asks for nothing that could stand in a text: nobody would count all documents.
            return Results(engine=self.name, index_time=view.changed_at)
        with self._noticing_damage(), _sound("the index cannot be read"):
            question = queries.combined(schema, text, parts)
            page = self._page(searcher, question, query, by_score=text is not None)
            loosened = False
            if text is not None and page.total == 0 and not self._anywhere(schema, searcher, text, parts):
                for softer in queries.relaxed(schema, query.text):
                    asked = queries.combined(schema, softer, parts)
                    found = self._page(searcher, asked, query, by_score=True)
                    if found.total:
                        text, question, page, loosened = softer, asked, found, True
                        break
            counted = self._facets(schema, searcher, query, text, parts, question)
        return Results(page.hits, page.total, counted, loosened, self.name, view.changed_at)

    def _anywhere(
        self,
        schema: tantivy.Schema,
        searcher: tantivy.Searcher,
        text: tantivy.Query,
        parts: Mapping[str, tantivy.Query],
    ) -> bool:
        """True where a document of the kind contains all the words and only a filter leaves it out: nothing is
        relaxed.
        """
        kind = {name: part for name, part in parts.items() if name == "kind"}
        return bool(searcher.search(queries.combined(schema, text, kind), limit=1, count=False).hits)

    def _page(self, searcher: tantivy.Searcher, question: tantivy.Query, query: Query, by_score: bool) -> _Page:
        ordering = query.ordering or ("" if by_score else "-updated_at")
        limit = query.offset + query.page_size
        if limit > DEPTH_LIMIT:
            return _Page((), _total(searcher, question))
        if not ordering:
            rows, total = self._best(searcher, question, limit)
            rows = rows[query.offset :]
        else:
            order = fields.ORDER_FIELDS[ordering]
            found = searcher.search(question, query.page_size, True, order, query.offset, tantivy.Order.Desc)
            rows, total = [(0.0, address) for _, address in found.hits], _matched(found)
        return _Page(tuple(_hit(searcher, score, address) for score, address in rows), total)

    def _best(
        self, searcher: tantivy.Searcher, question: tantivy.Query, limit: int
    ) -> tuple[list[tuple[float, tantivy.DocAddress]], int]:
        """The best `limit` hits by score, equal ones by id, and how many there are."""
        asked = limit + TIE_MARGIN
        while True:
            found = searcher.search(question, limit=asked, count=True)
            hits = found.hits
            if len(hits) < asked or round(hits[-1][0], 4) < round(hits[limit - 1][0], 4) or asked > DEPTH_LIMIT:
                break
            asked *= 4
        named = {searcher.doc(address)["id"][0]: address for _, address in hits}
        scores = dict(zip(named, (score for score, _ in hits), strict=True))
        best = scoring.ranked([(score, name) for name, score in scores.items()], limit)
        return [(score, named[name]) for score, name in best], _matched(found)

    def _facets(
        self,
        schema: tantivy.Schema,
        searcher: tantivy.Searcher,
        query: Query,
        text: tantivy.Query | None,
        parts: Mapping[str, tantivy.Query],
        question: tantivy.Query,
    ) -> dict[str, dict[str, int]]:
        """Counts made by the engine: one pass for all facets without a filter, one more for each that has one."""
        counted: dict[str, dict[str, int]] = {}
        plain = [name for name in query.facets if name not in parts]
        if plain:
            counted |= _count(searcher, question, plain)
        for name in query.facets:
            if name in parts:
                counted |= _count(searcher, queries.combined(schema, text, parts, without=name), [name])
        return {name: counted[name] for name in query.facets}

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
            clauses = [(tantivy.Occur.Must, queries.combined(schema, text, parts))]
            if document.id:
                clauses.append((tantivy.Occur.MustNot, queries.term(schema, "id", document.id)))
            if exclude_owner:
                clauses.append((tantivy.Occur.MustNot, queries.term(schema, "owner", exclude_owner)))
            rows, _ = self._best(searcher, tantivy.Query.boolean_query(clauses), limit)
            return [_hit(searcher, score, address) for score, address in rows]

    def frequencies(self, field: str, terms: Iterable[str]) -> tuple[int, dict[str, int]]:
        searcher = self._reader().searcher
        with self._noticing_damage(), _sound("the index cannot be read"):
            return searcher.num_docs, {term: searcher.doc_freq(field, term) for term in set(terms)}

    def versions(self) -> dict[str, int]:
        view = self._reader()
        with self._noticing_damage(), _sound("the index cannot be read"):
            question = queries.combined(view.index.schema, None, {})
            found = view.searcher.search(question, limit=max(1, view.searcher.num_docs), count=False)
            return {name: version for name, _, version in (_stored(view.searcher, a) for _, a in found.hits)}

    def held(self, ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
        view = self._reader()
        with self._noticing_damage(), _sound("the index cannot be read"):
            return _known(view, list(ids))

    def scan(self) -> Iterator[tuple[str, str, int]]:
        view = self._reader()
        everything = tantivy.Query.all_query()
        for start in range(0, view.searcher.num_docs, SCAN_PAGE):
            with self._noticing_damage(), _sound("the index cannot be read"):
                # Of one searcher and of equal scores: the order is the documents' own and holds from page to page.
                found = view.searcher.search(everything, limit=SCAN_PAGE, count=False, offset=start)
                page = [_stored(view.searcher, address) for _, address in found.hits]
            yield from page

    # Writing

    def hold(self) -> bool:
        """Become the writer until `close`: what the site does. False where another process is."""
        with self._writing:
            self._kept = self._kept or self._file_lock.acquire()
            return self._kept

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
        refused: dict[str, str] = {}
        newest = list(documents)
        with self._changing() as (view, writer):
            known = _known(view, [d.id for d in newest])
            for given in newest:
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
        return refused

    def drop(self, versions: Iterable[tuple[str, int]]) -> None:
        gone = list(versions)
        with self._changing() as (view, writer):
            known = _known(view, [document_id for document_id, _ in gone])
            for document_id, version in gone:
                if version < known.get(document_id, (-1, False))[0]:
                    continue
                writer.delete_documents_by_term("id", document_id)
                writer.add_document(fields.tombstone(document_id, version))
                known[document_id] = (version, True)

    def rebuild(self, documents: Iterable[Document]) -> dict[str, str]:
        with self.writing():
            self._close_writer()
            folder = self._new_generation()
            refused: dict[str, str] = {}
            try:
                with _sound("the new index cannot be written"):
                    index = fields.prepare(tantivy.Index(fields.schema(), str(folder)))
                    writer = index.writer(WRITER_MEMORY, 1)
                    for given in documents:
                        try:
                            writer.add_document(fields.document(given))
                        except (ValueError, TypeError, OverflowError) as error:
                            refused[given.id] = str(error)
                    writer.commit()
                    writer.wait_merging_threads()
                _write(folder / "about.json", json.dumps(_about()))
            except BaseException:
                # From here on the old generation still answers: leave nothing half made behind.
                shutil.rmtree(folder, ignore_errors=True)
                raise
            _write(self.folder / "CURRENT", folder.name)
            (self.folder / "DAMAGED").unlink(missing_ok=True)
            for old in self.folder.glob("g[0-9]*"):
                if old != folder:
                    shutil.rmtree(old, ignore_errors=True)
            return refused

    def _new_generation(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        taken = [int(p.name[1:]) for p in self.folder.glob("g[0-9]*") if p.name[1:].isdigit()]
        folder = self.folder / f"g{max(taken, default=0) + 1:06d}"
        folder.mkdir()
        return folder

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
            folder = self._current()
        except EngineDown as error:
            return Status(self.name, "missing", 0, 0, None, None, None, str(error))
        about = _about_of(folder)
        versions = (about.get("analyzer_version"), about.get("schema_version"))
        if reason := _outdated(folder):
            return Status(self.name, "outdated", 0, 0, None, *versions, reason)
        if reason := self.needs_rebuild():
            return Status(self.name, "damaged", 0, 0, None, *versions, reason)
        view = self._reader()
        gone = view.searcher.doc_freq("kind", fields.TOMBSTONE)
        question = queries.combined(view.index.schema, None, {})
        count = _total(view.searcher, question)
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


def _about() -> dict[str, Any]:
    return {
        "analyzer_version": ANALYZER_VERSION,
        "schema_version": SCHEMA_VERSION,
        "built_at": datetime.now(UTC).isoformat(),
    }


def _about_of(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / "about.json").read_text())
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def _outdated(folder: Path) -> str:
    """Why a generation cannot be asked by this code; empty when it can."""
    about = _about_of(folder)
    for name, wanted in (("analyzer_version", ANALYZER_VERSION), ("schema_version", SCHEMA_VERSION)):
        if about.get(name) != wanted:
            return f"the index was made with {name} {about.get(name)}, this code has {wanted}"
    return ""


def _write(path: Path, text: str) -> None:
    """Replace a small file in one step, so that a crash leaves the old or the new one, never half."""
    new = path.with_suffix(".new")
    with open(new, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def _matched(found: tantivy.SearchResult) -> int:
    """How many documents a search matched; the wheel's stubs leave the attribute out."""
    return int(found.count)  # type: ignore[attr-defined]


def _total(searcher: tantivy.Searcher, question: tantivy.Query) -> int:
    return _matched(searcher.search(question, limit=1, count=True))


def _stored(searcher: tantivy.Searcher, address: tantivy.DocAddress) -> tuple[str, str, int]:
    kept = searcher.doc(address)
    return kept["id"][0], kept["kind"][0], kept["version"][0]


def _hit(searcher: tantivy.Searcher, score: float, address: tantivy.DocAddress) -> Hit:
    name, kind, _ = _stored(searcher, address)
    return Hit(name, kind, score)


def _known(view: _Open, ids: list[str]) -> dict[str, tuple[int, bool]]:
    """id → (version, removed) of those among `ids` that the index knows."""
    known: dict[str, tuple[int, bool]] = {}
    unique = list(dict.fromkeys(ids))
    for start in range(0, len(unique), 1_000):
        chunk = unique[start : start + 1_000]
        question = tantivy.Query.term_set_query(view.index.schema, "id", chunk)
        for _, address in view.searcher.search(question, limit=len(chunk), count=False).hits:
            name, kind, version = _stored(view.searcher, address)
            known[name] = (version, kind == fields.TOMBSTONE)
    return known


def _count(searcher: tantivy.Searcher, question: tantivy.Query, names: list[str]) -> dict[str, dict[str, int]]:
    """{facet: {value: documents}} for all the facets in one pass over the hits."""
    asked = {name: {"terms": {"field": name, "size": BUCKETS}} for name in names}
    answer = searcher.aggregate(question, asked)
    return {name: {row["key"]: int(row["doc_count"]) for row in answer[name]["buckets"]} for name in names}
