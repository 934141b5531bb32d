"""The way into the index: a row in the same transaction, a drain after commit, a sweep for what was missed.

    with transaction.atomic():                      # cms publishes, its signal is heard
        changes.record(kind=…, key=…, version=…)    # SearchChange, or nothing if it rolls back
    # after commit: nudge() → drain()               # at once, by a worker or the site's own thread
    # each second: the same                         # what a nudge missed

`drain` may run twice, in any process, at any time (`search.taking` says why). An engine that is down or written by
another process leaves the rows where they are. Making the index anew stands in `search.rebuilding`, comparing it with
the database in `search.reconciling`.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import transaction

from . import rebuilding
from .engines import Engine, EngineBusy, EngineDown, get_engine
from .models import SearchChange
from .rebuilding import OnProgress, Stopped
from .reconciling import Drift, reconcile
from .taking import BATCH, REBUILD, TRIES, Taken, take_in

__all__ = [
    "BATCH", "REBUILD", "TRIES", "Drained", "Drift", "Stopped", "ask_for_rebuild", "drain", "is_settled", "nudge",
    "rebuild", "reconcile", "record", "roll_back", "sweep", "waiting", "without_nudges",
]  # fmt: skip

logger = logging.getLogger(__name__)

# A nudge runs in somebody's request: what is more waits for the sweep.
NUDGE_LIMIT = 200
# An index that is found damaged again this soon after a rebuild has another fault than the index.
REBUILD_PAUSE = 60.0
# An index of one writer that can be read but refused so many drains one after another is made anew.
REFUSALS = 3

_draining = threading.Lock()
_quiet = threading.local()
_last_rebuild: float | None = None
_refused = 0


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

    A second change of the same thing before the drain becomes one row with the newer version: unparked, and free to be
    taken at once even where a drain has the older one in its hands.
    """
    SearchChange.objects.bulk_create(
        [SearchChange(kind=kind, key=key, version=version)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["kind", "version", "tries", "parked_reason", "not_before", "leased_until"],
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
    """Have it taken in now, at no cost to the request: by a worker, or by the site's own thread.

    In a process without either (a command, a test) a little is drained here and now, where that is cheap: it never
    waits for a writer and never rebuilds. Never fails.
    """
    # The task is this module's own work, so one of the two has to look the other up late.
    from . import tasks

    tasks.drain.hint(otherwise=_drain_a_little)


def _drain_a_little() -> None:
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
            taken = Taken()
            try:
                done.rebuilt = _rebuild_if_due(engine, taken)
                _take_in(engine, taken, limit, until)
            finally:
                done.indexed, done.dropped, done.failed = taken.indexed, taken.dropped, taken.failed
    except EngineBusy:
        done.is_busy = True
    finally:
        _draining.release()
    return done


def _take_in(engine: Engine, taken: Taken, limit: int | None, until: float | None) -> None:
    global _refused
    try:
        take_in(engine, taken, limit=limit, until=until)
        _refused = 0
    except EngineDown:
        if engine.has_one_writer:
            _refused += 1
            if _refused == REFUSALS:
                logger.error("search: the index refuses every write and will be made anew")
                _refused = 0
                rebuilding.ask()
        raise


# Making anew


def _rebuild_if_due(engine: Engine, taken: Taken) -> str:
    """Make the index anew where a row asks for it or the index needs it; why, empty where it was not done here."""
    if rebuilding.is_asked(engine):
        return "asked for" if _rebuild(engine, "asked for", None, taken) is not None else ""
    reason = engine.needs_rebuild()
    if not reason or rebuilding.is_resting():
        return ""
    if _last_rebuild is not None and time.monotonic() - _last_rebuild < REBUILD_PAUSE:
        raise EngineDown(f"the index was made anew less than a minute ago and is no better: {reason}")
    return reason if _rebuild(engine, reason, None, taken) is not None else ""


def _rebuild(engine: Engine, reason: str, on_progress: OnProgress | None, taken: Taken) -> int | None:
    global _last_rebuild
    count = rebuilding.rebuild(engine, reason, on_progress, taken)
    if count is not None:
        _last_rebuild = time.monotonic()
    return count


def rebuild(*, on_progress: OnProgress | None = None, reason: str = "asked for") -> int:
    """Make the index anew from this process; how many it holds. Raises EngineDown.

    on_progress: called with the number of documents after each chunk; what it raises stops the rebuild (`Stopped`: for
    good), and the old index goes on. Raises EngineBusy where another process is the writer or makes the index anew
    already: then `ask_for_rebuild`.
    """
    engine = get_engine()
    with _draining, engine.writing():
        count = _rebuild(engine, reason, on_progress, Taken())
    if count is None:
        raise EngineBusy("another process makes the index anew")
    return count


def ask_for_rebuild() -> None:
    """Leave a row by which a writing process makes the index anew at its next sweep, and which it then deletes."""
    rebuilding.ask()


def roll_back() -> tuple[int, Drift]:
    """Answer from the index before the last rebuild again, and have put right what changed since: how many it holds,
    and what differed. Raises EngineDown, NotImplementedError where the engine keeps no earlier index.
    """
    engine = get_engine()
    with _draining, engine.writing():
        count = rebuilding.roll_back(engine)
    return count, reconcile(repair=True)


# Looking


def waiting() -> int:
    """How many changes the index has not taken in (without the parked)."""
    return SearchChange.objects.waiting().count()


def is_settled(number: str) -> bool:
    """True where the index holds the thing as the database does: matches may be made."""
    return not SearchChange.objects.waiting().filter(key=number).exists()
