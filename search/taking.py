"""Rows into the index: claim a batch, write it, forget what was written, set aside what failed.

A drain takes rows by a lease. One that dies lets go by itself after LEASE; one that is only slow may meet another in
the same row, which does no harm: documents are written whole, under the version of the row they were read from, and
the engine passes over older ones. Where the engine has one writer, holding the writer's lock is the claim: what a dead
one had in its hands is taken at once.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db import DatabaseError, OperationalError, connection, transaction
from django.utils import timezone

from . import sources
from .engines import Engine, EngineBusy, EngineDown
from .models import SearchChange
from .query import Document

logger = logging.getLogger(__name__)

BATCH = 500
# A drain that has said nothing for so long is dead, or so slow that another may try.
LEASE = dt.timedelta(seconds=30)
# So often a row may fail before it is parked with its reason and the others go on alone.
TRIES = 5
# Seconds to the next try, doubled each time: 2, 4, 8, 16.
FIRST_WAIT = 2
# So long a drain waits for a key that a transaction under way has just inserted.
LOCK_MILLISECONDS = 500
# kind and key of the row that asks for a rebuild: it is not of this module.
REBUILD = "*"
# Written where a batch failed, to learn whether the engine or the batch is at fault.
PROBE = "~probe"


@dataclass
class Taken:
    """What was done. `left`: rows that somebody has locked, to be passed over by this drain."""

    indexed: int = 0
    dropped: int = 0
    failed: int = 0
    left: set[int] = field(default_factory=set)


def take_in(engine: Engine, done: Taken, *, limit: int | None = None, until: float | None = None) -> None:
    """Take in what is ready now, at most `limit` rows, not beyond `until` (time.monotonic()). The caller is the writer.

    What comes later is for the next drain: under a steady stream of changes this one would never end. Raises
    EngineDown, with the rows let go and no try counted.
    """
    left, now = limit, timezone.now()
    while (left is None or left > 0) and (until is None or time.monotonic() < until):
        rows, lease = _claim(engine, BATCH if left is None else min(BATCH, left), now, done.left)
        if not rows:
            return
        try:
            failed = _apply(engine, rows, done)
        except BaseException:
            _let_go(rows, lease)
            raise
        done.left |= _settle(rows, failed, is_alone=engine.has_one_writer)
        left = None if left is None else left - len(rows)


def _claim(
    engine: Engine, size: int, before: dt.datetime, passed: set[int]
) -> tuple[list[SearchChange], dt.datetime | None]:
    """The oldest rows that are ready and were there `before`, now in this drain's hands, and until when."""
    theirs = SearchChange.objects.filter(created_at__lte=before).exclude(kind=REBUILD).exclude(pk__in=passed)
    if engine.has_one_writer:
        return list(theirs.rested()[:size]), None
    lease = timezone.now() + LEASE
    with transaction.atomic():
        # Nothing on SQLite, where the transaction itself holds all others off.
        rows = list(theirs.ready().select_for_update(skip_locked=True)[:size])
        SearchChange.objects.filter(pk__in=[row.pk for row in rows]).update(leased_until=lease)
    return rows, lease


def _let_go(rows: Sequence[SearchChange], lease: dt.datetime | None) -> None:
    """Give rows back untried: the engine or the database is down, and whoever finds it up again takes them at once."""
    if lease is None:
        return
    try:
        with transaction.atomic():
            mine = SearchChange.objects.filter(pk__in=[row.pk for row in rows], leased_until=lease)
            held = list(mine.select_for_update(skip_locked=True).values_list("pk", flat=True))
            SearchChange.objects.filter(pk__in=held).update(leased_until=None)
    except DatabaseError:
        logger.warning("search: %d rows stay leased until %s", len(rows), lease)


def _apply(engine: Engine, rows: Sequence[SearchChange], done: Taken) -> dict[str, str]:
    """Index or remove what the rows name; key → reason of those that failed."""
    try:
        return _write(engine, rows, done)
    except (EngineBusy, DatabaseError):
        raise
    except Exception as error:
        if not can_write(engine):
            raise
        # The engine is well, so something in this batch is not: halve it until that stands alone.
        if len(rows) == 1:
            return _alone(engine, rows[0], error, done)
        logger.warning("search: a batch of %d fails and is halved: %s", len(rows), error)
        half = len(rows) // 2
        return _apply(engine, rows[:half], done) | _apply(engine, rows[half:], done)


def _alone(engine: Engine, row: SearchChange, error: Exception, done: Taken) -> dict[str, str]:
    """A row that failed by itself. Where the engine was only away for a moment, the second time tells."""
    if isinstance(error, EngineDown):
        try:
            return _write(engine, [row], done)
        except EngineDown as again:
            if not can_write(engine):
                raise
            error = again
    logger.error("search: %s cannot be written", row, exc_info=error)
    done.failed += 1
    return {row.key: f"{type(error).__name__}: {error}"}


def _write(engine: Engine, rows: Sequence[SearchChange], done: Taken) -> dict[str, str]:
    failed: dict[str, str] = {}
    documents: list[Document] = []
    gone: list[tuple[str, int]] = []
    for kind in {row.kind for row in rows}:
        wanted = {row.key: row.version for row in rows if row.kind == kind}
        loaded = sources.load(kind, wanted)
        failed |= loaded.failed
        documents += loaded.documents.values()
        known = loaded.documents.keys() | loaded.failed.keys()
        gone += [(key, version) for key, version in wanted.items() if key not in known]
    if documents:
        failed |= engine.put(documents)
    if gone:
        engine.drop(gone)
    done.indexed += len(documents) - sum(d.id in failed for d in documents)
    done.dropped += len(gone)
    done.failed += len(failed)
    return failed


def can_write(engine: Engine) -> bool:
    """True where the engine takes a write at all: a removal of something that never was."""
    try:
        engine.drop([(PROBE, int(time.time()))])
    except EngineDown:
        return False
    return True


def _settle(rows: Sequence[SearchChange], failed: dict[str, str], *, is_alone: bool) -> set[int]:
    """Delete the rows that still have the version that was written, count a try of those that failed.

    A row with a newer version stays for the next drain. One that somebody is changing now has a newer version soon: it
    is passed over, for waiting here while holding other rows could end in a deadlock with a bulk import. Returns those.
    """
    taken = {row.pk: row for row in rows}
    with transaction.atomic():
        ours = SearchChange.objects.select_for_update(skip_locked=True).filter(pk__in=taken)
        now = dict(ours.values_list("pk", "version"))
        same = {pk for pk, version in now.items() if version == taken[pk].version}
        SearchChange.objects.filter(pk__in=[pk for pk in same if taken[pk].key not in failed]).delete()
        for pk in same:
            if taken[pk].key in failed:
                _put_aside(taken[pk], failed[taken[pk].key][:300] or "no reason given")
        standing = set(SearchChange.objects.filter(pk__in=taken).values_list("pk", flat=True))
    if not is_alone:
        _look_again([row for row in rows if row.pk not in standing | same and row.key not in failed])
    return standing - now.keys()


def _put_aside(row: SearchChange, reason: str) -> None:
    """Count one try; after the last the row is parked with its reason, so that the others go on."""
    tries = row.tries + 1
    logger.error("search: %s %s cannot be indexed (try %d): %s", row.kind, row.key, tries, reason)
    SearchChange.objects.filter(pk=row.pk).update(
        tries=tries,
        not_before=timezone.now() + dt.timedelta(seconds=FIRST_WAIT * 2**row.tries),
        leased_until=None,
        parked_reason=reason if tries >= TRIES else "",
    )


def _look_again(rows: Sequence[SearchChange]) -> None:
    """Another drain took these in and forgot them while this one was at it. A rebuild in between forgets tombstones, so
    that what this one wrote last may be older than what the other removed: compared once more, it is put right.
    """
    write_down(SearchChange(kind=row.kind, key=row.key, version=row.version) for row in rows)


def write_down(rows: Iterable[SearchChange]) -> None:
    """Insert rows, each by itself, where their keys have none: in one statement they would hold some keys and wait for
    others, and an import that takes them in another order would end in a deadlock.

    A key that somebody is inserting now is left to him.
    """
    if not connection.features.has_select_for_update:
        SearchChange.objects.bulk_create(list(rows), ignore_conflicts=True)
        return
    for row in rows:
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
                SearchChange.objects.bulk_create([row], ignore_conflicts=True)
        except OperationalError as error:
            logger.info("search: %s is being changed by another: %s", row, error)
