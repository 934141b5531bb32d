"""The way into the index: a row in the same transaction, a drain after commit, a sweep for what was missed.

    with transaction.atomic():                      # cms publishes, its signal is heard
        changes.record(kind=…, key=…, version=…)    # SearchChange, or nothing if it rolls back
    # after commit: nudge() → drain()               # at once, where this process may write the index
    # each second, from the site's own thread: sweep()

`drain` may run twice, in any process, at any time: documents are written whole with the row's version, the engine
passes over older ones, and a row is deleted only where its version is still the one that was taken in. An engine that
is down or written by another process leaves the rows where they are.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from . import sources
from .engines import Engine, EngineBusy, EngineDown, get_engine
from .models import SearchChange
from .query import Document

logger = logging.getLogger(__name__)

BATCH = 500
# So often a row may fail before it is parked with its reason and the others go on alone.
TRIES = 5
# A nudge runs in somebody's request: what is more waits for the sweep.
NUDGE_LIMIT = 200
# An index that is found damaged again this soon after a rebuild has another fault than the index.
REBUILD_PAUSE = 60.0
# kind and key of the row by which a command asks the site for a rebuild.
REBUILD = "*"

_draining = threading.Lock()
_quiet = threading.local()
_last_rebuild: float | None = None


@dataclass
class Drained:
    """What one drain did. `is_busy`: somebody else writes the index, the rows wait; `down`: why it could not be
    written.
    """

    indexed: int = 0
    dropped: int = 0
    failed: int = 0
    rebuilt: str = ""
    is_busy: bool = False
    down: str = ""


# Writing down


def record(*, kind: str, key: str, version: int) -> None:
    """Write down, in the caller's transaction, that a thing is to be indexed again or removed; drained after commit.

    A second change of the same thing before the drain becomes one row with the newer version, and unparks it.
    """
    SearchChange.objects.bulk_create(
        [SearchChange(kind=kind, key=key, version=version)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["kind", "version", "tries", "parked_reason"],
    )
    if not getattr(_quiet, "on", False):
        transaction.on_commit(nudge, robust=True)


@contextmanager
def without_nudges() -> Iterator[None]:
    """For bulk intake: rows are written, and one drain at the end (or the sweep) takes them in, not one a listing."""
    before, _quiet.on = getattr(_quiet, "on", False), True
    try:
        yield
    finally:
        _quiet.on = before


def nudge() -> None:
    """Drain a little now, where that costs the request little: never waits for a writer, never rebuilds, never
    fails.
    """
    try:
        if not get_engine().needs_rebuild():
            drain(limit=NUDGE_LIMIT)
    except EngineDown as error:
        logger.warning("search: what was saved waits for the index: %s", error)


# Taking in


def sweep() -> Drained:
    """What the site's thread does each second: be the writer, make the index anew if it must be, take in what waits.

    An engine that is down is said in the answer and in the log; the rows wait for the next second.
    """
    try:
        return drain(keep=True)
    except EngineDown as error:
        logger.error("search: the index cannot be written: %s", error)
        return Drained(down=str(error))


def drain(*, limit: int | None = None, until: float | None = None, keep: bool = False) -> Drained:
    """Take in what waits, at most `limit` rows, not beyond `until` (time.monotonic()).

    `keep` keeps the writer's lock afterwards: for the site alone. Raises EngineDown where the engine cannot write;
    where only somebody else is writing, says so in the answer.
    """
    done = Drained()
    if not _draining.acquire(blocking=False):
        return Drained(is_busy=True)
    try:
        engine = get_engine()
        if keep and not engine.hold():
            return Drained(is_busy=True)
        if not keep and not SearchChange.objects.waiting().exists() and not engine.needs_rebuild():
            return done
        with engine.writing():
            if reason := _why_rebuild(engine):
                rebuild_now(engine)
                done.rebuilt = reason
            _take_in(engine, done, limit, until)
    except EngineBusy:
        done.is_busy = True
    finally:
        _draining.release()
    return done


def _why_rebuild(engine: Engine) -> str:
    """Why to make the index anew now; empty where it is sound or was made anew a moment ago."""
    asked = SearchChange.objects.filter(kind=REBUILD).first()
    if asked is not None:
        return "asked for"
    reason = engine.needs_rebuild()
    if reason and _last_rebuild is not None and time.monotonic() - _last_rebuild < REBUILD_PAUSE:
        raise EngineDown(f"the index was made anew less than a minute ago and is no better: {reason}")
    return reason


def _take_in(engine: Engine, done: Drained, limit: int | None, until: float | None) -> None:
    seen: set[int] = set()
    left = limit
    while (left is None or left > 0) and (until is None or time.monotonic() < until):
        size = BATCH if left is None else min(BATCH, left)
        rows = list(SearchChange.objects.waiting().exclude(kind=REBUILD).exclude(pk__in=seen)[:size])
        if not rows:
            return
        failed = _apply(engine, rows, done)
        # A row that failed is tried again by the next drain, not by this one for ever.
        seen |= {row.pk for row in rows if row.key in failed}
        left = None if left is None else left - len(rows)


def _apply(engine: Engine, rows: list[SearchChange], done: Drained) -> dict[str, str]:
    """Index or remove what the rows name, then forget the rows. Returns number → reason of those that failed."""
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
    _forget([row for row in rows if row.key not in failed])
    _put_aside([row for row in rows if row.key in failed], failed)
    return failed


def _forget(rows: list[SearchChange]) -> None:
    """Delete the rows that still have the version that was taken in; a newer one stays for the next drain."""
    taken = {row.pk: row.version for row in rows}
    with transaction.atomic():
        now = SearchChange.objects.select_for_update().filter(pk__in=taken).values_list("pk", "version")
        SearchChange.objects.filter(pk__in=[pk for pk, version in now if version == taken[pk]]).delete()


def _put_aside(rows: list[SearchChange], reasons: dict[str, str]) -> None:
    """Count one try; after the fifth the row is parked with its reason, so that the others go on."""
    for row in rows:
        reason = reasons[row.key][:300]
        logger.error("search: %s %s cannot be indexed (try %d): %s", row.kind, row.key, row.tries + 1, reason)
        unchanged = SearchChange.objects.filter(pk=row.pk, version=row.version)
        unchanged.update(tries=F("tries") + 1, parked_reason=reason if row.tries + 1 >= TRIES else "")


# Making anew


def rebuild_now(engine: Engine) -> int:
    """Fill a new index from the database and swap it in; returns how many it holds. The caller is the writer.

    What changes meanwhile has its row and is taken in afterwards: the same process drains, under the same lock.
    """
    global _last_rebuild
    failed: dict[str, str] = {}
    asked = list(SearchChange.objects.filter(kind=REBUILD))
    started = time.monotonic()
    refused = engine.rebuild(sources.everything(failed))
    _last_rebuild = time.monotonic()
    _forget(asked)
    for number, reason in {**failed, **refused}.items():
        logger.error("search: %s is not in the new index: %s", number, reason)
    count = engine.status().documents
    logger.info("search: index made anew, %d documents in %.1f s", count, _last_rebuild - started)
    return count


def rebuild() -> int:
    """Make the index anew from this process. Raises EngineBusy where another one is the writer: then
    `ask_for_rebuild`.
    """
    engine = get_engine()
    with _draining, engine.writing():
        return rebuild_now(engine)


def ask_for_rebuild() -> None:
    """Leave a row by which the writing process makes the index anew at its next sweep, and which it then deletes."""
    with without_nudges():
        record(kind=REBUILD, key=REBUILD, version=int(timezone.now().timestamp() * 1_000_000))


# Looking


def waiting() -> int:
    """How many changes the index has not taken in (without the parked)."""
    return SearchChange.objects.waiting().count()


def is_settled(number: str) -> bool:
    """True where the index holds the thing as the database does: matches may be made."""
    return not SearchChange.objects.waiting().filter(key=number).exists()


@dataclass(frozen=True)
class Drift:
    """Where index and database differ, by number."""

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.stale)


def reconcile(*, repair: bool = False) -> Drift:
    """Compare every number and version both ways; `repair` asks for a new index where they differ. Nightly, and safe at
    any time: what has a waiting row is not drift.
    """
    held = get_engine().versions()
    failed: dict[str, str] = {}
    wanted = {document.id: document.version for document in sources.everything(failed)}
    # Asked last: what changed while the two were read has its row by now.
    settled = (held.keys() | wanted.keys()) - set(SearchChange.objects.values_list("key", flat=True)) - failed.keys()
    drift = Drift(
        tuple(sorted(n for n in settled if n not in held)),
        tuple(sorted(n for n in settled if n not in wanted)),
        tuple(sorted(n for n in settled if n in wanted and n in held and wanted[n] != held[n])),
    )
    if drift and repair:
        logger.error("search: index and database differ: %s", drift)
        ask_for_rebuild()
    return drift
