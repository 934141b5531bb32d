"""Who can be found. Each kind registers how its public rows are read and what of a row is public.

search registers the four kinds of cms (`search.listings`); a higher app registers its own from its `ready()`, so that
search names no app.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from django.db.models import QuerySet

from .query import Document

logger = logging.getLogger(__name__)

CHUNK = 500


@dataclass(frozen=True)
class Source:
    """One kind: `queryset()` gives the rows that a visitor may find, with all that `to_document` needs already joined.

    `key` is the path to the row's number. `to_document` returns None for a row that has nothing public.
    """

    kind: str
    queryset: Callable[[], QuerySet[Any]]
    to_document: Callable[[Any], Document | None]
    key: str = "number"

    def key_of(self, row: Any) -> str:
        return reduce(getattr, self.key.split("__"), row)


@dataclass
class Loaded:
    """Documents by number, and for rows that could not be read as one: why."""

    documents: dict[str, Document] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


_sources: dict[str, Source] = {}


def register(
    kind: str, queryset: Callable[[], QuerySet[Any]], to_document: Callable[[Any], Document | None], key: str = "number"
) -> None:
    """Make a kind findable. Registering it again replaces the earlier entry."""
    _sources[kind] = Source(kind, queryset, to_document, key)


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
    """Every public document there is, a chunk of rows at a time; reasons of those that cannot be read go to
    `failed`.
    """
    for source in list(_sources.values()):
        rows = source.queryset().order_by("pk")
        chunk = list(rows[:CHUNK])
        while chunk:
            loaded = _read(source, chunk)
            failed |= loaded.failed
            yield from loaded.documents.values()
            # By primary key and not by offset: what is published meanwhile must not push rows past a border.
            chunk = list(rows.filter(pk__gt=chunk[-1].pk)[:CHUNK])


def _read(source: Source, rows: Iterable[Any]) -> Loaded:
    loaded = Loaded()
    for row in rows:
        try:
            document = source.to_document(row)
        except Exception as error:  # one bad row must not keep the others out of the index
            logger.exception("search: %s %s cannot be read as a document", source.kind, row.pk)
            loaded.failed[source.key_of(row)] = f"{type(error).__name__}: {error}"
            continue
        if document is not None:
            loaded.documents[document.id] = document
    return loaded
