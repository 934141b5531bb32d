"""The one door to the engine for whoever shows what it finds: nothing hidden is listed, counted or counted by facet.

    found = checked.find(query, user, place="list", parts=with_parts)   # raises EngineDown: answer from the database
    found.listed                       # rows of the database in the hits' order, each seen by `.visible_to(user)`
    found.total, found.facets          # without what has been withdrawn since the index last heard of it

The index is a moment behind the database, and may be wrong. Three things stand between it and a page:

1. What waits for the index (`SearchChange`) and may have become less public is left out by the engine itself
   (`Query.excluding`), from the commit on: hits, totals and facets do not know it. That is what is no longer public,
   and, until the index has it, a changed listing with a restricted text or an unnamed owner: the index may still hold
   the words or the name that the change took away. A changed listing that is open as a whole stays.
2. Every hit is looked up in the database as this person may see it. One that he may not is left out, the engine is
   asked again without it, an alarm row is written, and a `SearchChange` has the index repaired.
3. Where more waits than an engine can be told to leave out, the database answers (`TooMuchHidden`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from cms.models import KINDS, Disclosure, ListingRecord, listing_model

from . import changes, sources
from .engines import EngineDown, get_engine
from .models import SearchAlarm, SearchChange
from .query import EXCLUDING_LIMIT, Hit, Query, Results

logger = logging.getLogger(__name__)

# So often one question is put again without the hits that must not be shown; after that they are only left out.
ASKS = 3
# So many of one answer's wrong hits are written down; the next question finds the rest.
REPORTED = 20
# Milliseconds that an alarm may wait for the database: a page is worth more than its alarm.
PATIENCE = 250

HIDDEN_HIT = "hidden_hit"
NOBODY = AnonymousUser()

Parts = Callable[[QuerySet[Any], str], QuerySet[Any]]


class TooMuchHidden(EngineDown):
    """More listings were hidden since the index last heard of them than a question can leave out."""


@dataclass(frozen=True)
class Checked:
    """Results that this person may see. `rows`: number → row of the database (for a kind of a higher app: Document)."""

    hits: tuple[Hit, ...] = ()
    total: int = 0
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    relaxed: bool = False
    engine: str = ""
    index_time: datetime | None = None
    rows: Mapping[str, Any] = field(default_factory=dict)

    @property
    def listed(self) -> list[Any]:
        """The rows in the hits' order."""
        return [self.rows[hit.id] for hit in self.hits]


def find(query: Query, user: Any, *, place: str, parts: Parts | None = None) -> Checked:
    """One page of what the engine finds and this person may see.

    place: where it is shown, for the alarm (at most 40 characters). parts: joins to a kind's rows what the page needs.
    Raises EngineDown (also TooMuchHidden): the caller answers from the database and says so.
    """
    engine = get_engine()
    # Counts by kind are made without the question's own kinds: then what is hidden of any kind must not be counted.
    kinds = () if "kind" in query.facets else query.kinds
    asked = replace(query, excluding=_united(query.excluding, hiding(kinds)))
    for _attempt in range(ASKS):
        results = engine.find(asked)
        rows = visible(results.hits, user, place=place, parts=parts)
        wrong = [hit for hit in results.hits if hit.id not in rows]
        if not wrong:
            break
        asked = replace(asked, excluding=_united(asked.excluding, [hit.id for hit in wrong]))
    return _without(results, wrong, rows)


def visible(hits: Sequence[Hit], user: Any, *, place: str, parts: Parts | None = None) -> dict[str, Any]:
    """Number → row of those hits that are published and that this person may see; the others raise an alarm."""
    rows: dict[str, Any] = {}
    for kind in dict.fromkeys(hit.kind for hit in hits):
        rows |= _rows(kind, [hit.id for hit in hits if hit.kind == kind], user, parts)
    wrong = [hit for hit in hits if hit.id not in rows]
    if wrong:
        _report(wrong, place)
    return rows


def hiding(kinds: Sequence[str] = ()) -> tuple[str, ...]:
    """Numbers of these kinds (none: all) that the index may show as more public than they are now.

    Also what is parked counts: the index never took it in. Raises TooMuchHidden beyond EXCLUDING_LIMIT.
    """
    waiting = SearchChange.objects.exclude(kind=changes.REBUILD)
    if kinds:
        waiting = waiting.filter(kind__in=kinds)
    found: list[str] = []
    for kind in list(waiting.order_by().values_list("kind", flat=True).distinct()):
        found += _less_public(waiting.filter(kind=kind), kind)[: EXCLUDING_LIMIT + 1]
        if len(found) > EXCLUDING_LIMIT:
            raise TooMuchHidden(f"more than {EXCLUDING_LIMIT} hidden listings wait for the index")
    return tuple(found)


def _less_public(waiting: QuerySet[SearchChange], kind: str) -> QuerySet[Any]:
    """Keys of a kind's waiting changes without those that are open as a whole now, owner and text."""
    keys = waiting.order_by().values_list("key", flat=True)
    if kind not in KINDS:
        return keys
    model = listing_model(kind)
    is_open = model.objects.public().filter(record__number=OuterRef("key"), disclosure_level=Disclosure.L0)
    if kind == "demand":
        is_open = is_open.filter(is_anonymous=False)
    return keys.filter(~Exists(is_open))


def _united(one: Sequence[str], other: Sequence[str]) -> tuple[str, ...]:
    """Both, each id once, as many as an engine takes."""
    return tuple(dict.fromkeys([*one, *other]))[:EXCLUDING_LIMIT]


def _rows(kind: str, numbers: Sequence[str], user: Any, parts: Parts | None) -> dict[str, Any]:
    if kind not in KINDS:
        return dict(sources.load(kind, numbers).documents)
    rows: QuerySet[Any] = listing_model(kind).objects.visible_to(user).published()
    rows = rows.filter(record__number__in=numbers)
    rows = parts(rows, kind) if parts else rows.select_related("record")
    return {row.record.number: row for row in rows}


def _without(results: Results, wrong: Sequence[Hit], rows: Mapping[str, Any]) -> Checked:
    """The results without hits that even the last answer wrongly held; each counts as one less of its kind."""
    facets: dict[str, Mapping[str, int]] = dict(results.facets)
    if wrong and "kind" in facets:
        less = dict(facets["kind"])
        for hit in wrong:
            less[hit.kind] = max(0, less.get(hit.kind, 0) - 1)
        facets["kind"] = less
    return Checked(
        hits=tuple(hit for hit in results.hits if hit.id in rows),
        total=max(0, results.total - len(wrong)),
        facets=facets,
        relaxed=results.relaxed,
        engine=results.engine,
        index_time=results.index_time,
        rows=rows,
    )


# Alarms


def raise_alarm(kind: str, key: str, place: str, detail: str = "", is_lag: bool = False) -> None:
    """Write down that what must not happen did: one open row for kind, key and place, counted up each time.

    kind: one of SearchAlarm.KINDS. is_lag: a change of the thing was waiting for the index; a row that was ever raised
    without one is no lag. Never raises DatabaseError: an alarm that cannot be written is only logged.
    """
    if not is_lag:
        logger.error("search alarm: %s %s in %s %s", kind, key, place, detail)
    try:
        with _briefly():
            _count_alarm(kind, key, place[:40], detail[:300], is_lag)
    except DatabaseError as error:
        logger.error("search alarm: %s %s in %s is not written down: %s", kind, key, place, error)


def _count_alarm(kind: str, key: str, place: str, detail: str, is_lag: bool) -> None:
    raised = SearchAlarm.objects.filter(kind=kind, key=key, place=place, handled_at=None)
    seen: dict[str, Any] = {"count": F("count") + 1, "last_at": timezone.now(), "detail": detail}
    if not is_lag:
        seen["is_lag"] = False
    if raised.update(**seen):
        return
    try:
        with transaction.atomic():
            SearchAlarm.objects.create(
                kind=kind, key=key, place=place, engine=get_engine().name, detail=detail, is_lag=is_lag
            )
    except IntegrityError:
        # Another process was faster; the open row is there now.
        raised.update(**seen)


def _report(wrong: Sequence[Hit], place: str) -> None:
    """Raise an alarm for each hit that must not be shown and have the index repaired. Never fails."""
    told = wrong[:REPORTED]
    numbers = [hit.id for hit in told]
    waiting = set(SearchChange.objects.filter(key__in=numbers).values_list("key", flat=True))
    for hit in told:
        raise_alarm(HIDDEN_HIT, hit.id, place, is_lag=hit.id in waiting)
    astray = [hit for hit in told if hit.id not in waiting]
    if not astray:
        return
    try:
        with _briefly(), changes.without_nudges():
            _ask_for_repair(astray)
    except DatabaseError as error:
        logger.error("search: the repair of %s is not written down: %s", numbers, error)


def _ask_for_repair(hits: Sequence[Hit]) -> None:
    """A change row for each, at the version that the database has; one without a row in the database is above all."""
    rows = ListingRecord.objects.filter(number__in=[hit.id for hit in hits])
    known: dict[str, int] = dict(rows.values_list("number", "search_version"))
    for hit in hits:
        # Numbers are never used again: seconds since 1970 are more than any counter of a listing that is gone.
        changes.record(kind=hit.kind, key=hit.id, version=known.get(hit.id) or int(time.time()))


@contextmanager
def _briefly() -> Iterator[None]:
    """A transaction that gives up after PATIENCE milliseconds of waiting for a lock. Raises DatabaseError."""
    is_sqlite = connection.vendor == "sqlite"
    before = _busy_timeout(PATIENCE) if is_sqlite else 0
    try:
        with transaction.atomic():
            if connection.vendor == "postgresql":
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE}ms'")
            yield
    finally:
        if is_sqlite:
            _busy_timeout(before)


def _busy_timeout(milliseconds: int) -> int:
    """Set SQLite's patience of this connection; returns what it was."""
    with connection.cursor() as cursor:
        before = int(cursor.execute("PRAGMA busy_timeout").fetchone()[0])
        cursor.execute(f"PRAGMA busy_timeout = {int(milliseconds)}")
    return before
