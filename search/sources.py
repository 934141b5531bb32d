"""Who can be found. Each kind registers how its public rows are read and what of a row is public.

search registers the four kinds of cms (`search.listings`); a higher app registers its own from its `ready()`, so that
search names no app.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.db.models import QuerySet

from .query import Document

logger = logging.getLogger(__name__)

CHUNK = 500
# Rows of a number and a version are small: more at once. SQLite takes as many values in one question.
VERSIONS = 1_000


@dataclass(frozen=True)
class Source:
    """One kind: `queryset()` gives the rows that a visitor may find, with all that `to_document` needs already joined,
    but for what `prepare` attaches to many of them at once.

    `key` is the path to the row's number. `to_document` returns None for a row that has nothing public. `version` is
    the path to the row's counter, for a kind each of whose rows gives a document of that version: then comparing index
    and database need not write every document first. `outrun` raises the counters of the numbers it is given to at
    least the versions it is given, whether the rows are public or not: without it an index that is ahead of the
    database (after a restore) can only be made anew.
    """

    kind: str
    queryset: Callable[[], QuerySet[Any]]
    to_document: Callable[[Any], Document | None]
    key: str = "number"
    version: str = ""
    outrun: Callable[[Mapping[str, int]], None] | None = None
    prepare: Callable[[Sequence[Any]], None] | None = None

    def key_of(self, row: Any) -> str:
        return reduce(getattr, self.key.split("__"), row)


@dataclass
class Loaded:
    """Documents by number, and for rows that could not be read as one: why."""

    documents: dict[str, Document] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


_sources: dict[str, Source] = {}


def register(
    kind: str,
    queryset: Callable[[], QuerySet[Any]],
    to_document: Callable[[Any], Document | None],
    key: str = "number",
    version: str = "",
    outrun: Callable[[Mapping[str, int]], None] | None = None,
    prepare: Callable[[Sequence[Any]], None] | None = None,
) -> None:
    """Make a kind findable; what the arguments are stands at `Source`. Registering it again replaces the earlier
    entry.
    """
    _sources[kind] = Source(kind, queryset, to_document, key, version, outrun, prepare)


def kinds() -> tuple[str, ...]:
    """All kinds that can be found."""
    return tuple(_sources)


def load(kind: str, keys: Iterable[str]) -> Loaded:
    """Read some rows of a kind. A key that is in neither answer is not public (any more)."""
    source = _sources.get(kind)
    if source is None:
        return Loaded()
    return _read(source, source.queryset().filter(**{f"{source.key}__in": list(keys)}))


def everything(failed: dict[str, str]) -> Iterator[Document]:
    """Every public document there is; reasons of those that cannot be read go to `failed`."""
    for documents in chunks(failed):
        yield from documents


def chunks(failed: dict[str, str]) -> Iterator[list[Document]]:
    """Every public document there is, as the rows are read, a chunk at a time; reasons of those that cannot be read go
    to `failed`.
    """
    for source in list(_sources.values()):
        for rows in _paged(source):
            loaded = _read(source, rows)
            failed |= loaded.failed
            yield list(loaded.documents.values())


def count() -> int:
    """How many rows a rebuild will read."""
    return sum(source.queryset().count() for source in _sources.values())


def versions() -> Iterator[dict[str, tuple[str, int]]]:
    """number → (kind, version) of everything that should be in the index, a chunk of rows at a time."""
    for source in list(_sources.values()):
        if not source.version:
            for rows in _paged(source):
                yield _rendered(source, rows)
            continue
        public = source.queryset().select_related(None).prefetch_related(None).order_by("pk")
        columns = public.values_list("pk", source.key, source.version)
        page = list(columns[:VERSIONS])
        while page:
            yield {key: (source.kind, version) for _, key, version in page}
            page = list(columns.filter(pk__gt=page[-1][0])[:VERSIONS])


def versions_of(keys: Iterable[str], kinds: Iterable[str] | None = None) -> dict[str, tuple[str, int]]:
    """The same of some numbers, of all kinds or of those given. One that is not in the answer is not public."""
    wanted = list(keys)
    found: dict[str, tuple[str, int]] = {}
    for source in list(_sources.values()):
        if kinds is not None and source.kind not in kinds:
            continue
        rows = source.queryset().filter(**{f"{source.key}__in": wanted})
        if source.version:
            plain = rows.select_related(None).prefetch_related(None)
            found |= {key: (source.kind, version) for key, version in plain.values_list(source.key, source.version)}
        else:
            found |= _rendered(source, rows)
    return found


def outrun(versions: Mapping[str, tuple[str, int]]) -> set[str]:
    """Raise the counters of number → (kind, version); returns the numbers of kinds that cannot. A kind that nobody
    registered has no counter to raise.
    """
    left: set[str] = set()
    for source in list(_sources.values()):
        mine = {key: version for key, (kind, version) in versions.items() if kind == source.kind}
        if mine and source.outrun is not None:
            source.outrun(mine)
        elif mine:
            left |= mine.keys()
    return left


def _rendered(source: Source, rows: Iterable[Any]) -> dict[str, tuple[str, int]]:
    return {document.id: (source.kind, document.version) for document in _read(source, rows).documents.values()}


def _paged(source: Source) -> Iterator[list[Any]]:
    """All rows of a kind. By primary key and not by offset: what is published meanwhile must not push rows past a
    border.
    """
    rows = source.queryset().order_by("pk")
    page = list(rows[:CHUNK])
    while page:
        yield page
        page = list(rows.filter(pk__gt=page[-1].pk)[:CHUNK])


def _read(source: Source, rows: Iterable[Any]) -> Loaded:
    loaded = Loaded()
    listed = list(rows)
    if source.prepare is not None:
        source.prepare(listed)
    for row in listed:
        try:
            document = source.to_document(row)
        except Exception as error:  # one bad row must not keep the others out of the index
            logger.exception("search: %s %s cannot be read as a document", source.kind, row.pk)
            loaded.failed[source.key_of(row)] = f"{type(error).__name__}: {error}"
            continue
        if document is not None:
            loaded.documents[document.id] = document
    return loaded
