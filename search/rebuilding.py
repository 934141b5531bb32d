"""The index made anew from the database, by exactly one process, while the others go on.

The row `REBUILD` asks for it; whoever leases the row does it and renews the lease as it reads. One that died lets
another begin anew; one that was only frozen finds on waking that the row is no longer its own and gives up. What
changes meanwhile is taken in between two chunks: the engine writes it into the index that answers and into the new one.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from . import sources
from .engines import Engine, EngineDown
from .models import SearchChange, SearchRun
from .query import Document
from .taking import BATCH, REBUILD, Taken, take_in, write_down

logger = logging.getLogger(__name__)

# What is called with the number of documents of each chunk that has gone into the new index; may raise to stop it.
OnProgress = Callable[[int], None]

# A rebuild that has said nothing for so long is dead. Its last step, the swap, says nothing while it lasts.
LEASE = dt.timedelta(seconds=60)
SWAP_LEASE = dt.timedelta(minutes=5)
RENEW_SECONDS = 5.0
# So long what waits is taken in after each chunk. Under a steady stream of changes "until nothing waits" is never.
MEANWHILE_SECONDS = 0.2
# A rebuild that failed is tried again after so long: soon where a server was down, later where it will fail again.
DOWN_WAIT = dt.timedelta(seconds=5)
FAULT_WAIT = dt.timedelta(seconds=60)


class Lost(EngineDown):
    """Another process has begun the rebuild anew, because this one was silent for too long."""


class Stopped(Exception):
    """Raised by `on_progress`: somebody wants no new index after all. The old one goes on."""


def ask() -> None:
    """Leave the row that asks for a rebuild. Asked again while one runs, another follows; its lease stays."""
    version = int(timezone.now().timestamp() * 1_000_000)
    SearchChange.objects.bulk_create(
        [SearchChange(kind=REBUILD, key=REBUILD, version=version)],
        update_conflicts=True,
        unique_fields=["key"],
        update_fields=["version"],
    )


def is_asked(engine: Engine) -> bool:
    """True where the row stands, does not rest after a failure, and is in nobody's hands."""
    rows = SearchChange.objects.rested() if engine.has_one_writer else SearchChange.objects.ready()
    return rows.filter(kind=REBUILD).exists()


def is_resting() -> bool:
    """True for a moment after a rebuild failed."""
    return SearchChange.objects.waiting().filter(kind=REBUILD, not_before__gt=timezone.now()).exists()


@dataclass
class _Claim:
    """The row in this process's hands. `version` is what was asked when it began."""

    pk: int
    version: int
    until: dt.datetime
    renewed: float = field(default_factory=time.monotonic)

    def renew(self, lease: dt.timedelta = LEASE) -> None:
        """Hold the row a while longer; asked each few milliseconds, it is written each few seconds. Raises Lost."""
        if lease == LEASE and time.monotonic() - self.renewed < RENEW_SECONDS:
            return
        until = timezone.now() + lease
        if not SearchChange.objects.filter(pk=self.pk, leased_until=self.until).update(leased_until=until):
            raise Lost("another process makes the index anew")
        self.until, self.renewed = until, time.monotonic()

    def give_back(self, wait: dt.timedelta | None) -> None:
        """Let another try after `wait`; None: nobody is to try again."""
        mine = SearchChange.objects.filter(pk=self.pk, leased_until=self.until)
        if wait is None:
            mine.filter(version=self.version).delete()
        # Asked again meanwhile, the row stays and is done once more.
        mine.update(leased_until=None, not_before=timezone.now() + (wait or dt.timedelta()))


def _claim(engine: Engine) -> _Claim | None:
    """Take the row, written now if need be; None where another process has it."""
    now = timezone.now()
    first = SearchChange(kind=REBUILD, key=REBUILD, version=int(now.timestamp() * 1_000_000))
    SearchChange.objects.bulk_create([first], ignore_conflicts=True)
    row = SearchChange.objects.get(key=REBUILD)
    free = SearchChange.objects.filter(pk=row.pk, leased_until=row.leased_until)
    if not engine.has_one_writer:
        free = free.filter(Q(leased_until=None) | Q(leased_until__lt=now))
    until = now + LEASE
    # Compare-and-set: of two that read the free row, one changes it.
    return _Claim(row.pk, row.version, until) if free.update(leased_until=until, parked_reason="") else None


def rebuild(engine: Engine, reason: str, on_progress: OnProgress | None, meanwhile: Taken) -> int | None:
    """Fill a new index from the database and swap it in; how many it holds, or None where another process does it.

    `meanwhile` counts what was taken in between. The caller is the writer. Raises EngineDown, and what `on_progress`
    raises: then the old index goes on.
    """
    claim = _claim(engine)
    if claim is None:
        return None
    run = SearchRun.objects.create(kind="rebuild", engine=engine.name, reason=reason[:300])
    failed: dict[str, str] = {}
    try:
        refused = engine.rebuild(_documents(engine, claim, failed, on_progress, meanwhile))
        count = engine.status().documents
    except BaseException as error:
        _give_up(engine, claim, run, error)
        raise
    claim.give_back(None)
    _remember({**failed, **refused})
    run.end("done", documents=count, detail=_said({**failed, **refused}))
    logger.info("search: index made anew (%s), %d documents", reason, count)
    return count


def _documents(
    engine: Engine, claim: _Claim, failed: dict[str, str], on_progress: OnProgress | None, meanwhile: Taken
) -> Iterator[Document]:
    """Everything public, a chunk at a time; after each the lease is renewed and what waits is taken in."""
    is_taking = True
    for documents in sources.chunks(failed):
        yield from documents
        claim.renew()
        if on_progress is not None:
            on_progress(len(documents))
        is_taking = is_taking and _take_meanwhile(engine, meanwhile)
    # The swap comes next: it must not be made by a process that has slept through its lease.
    claim.renew(SWAP_LEASE)


def _take_meanwhile(engine: Engine, meanwhile: Taken) -> bool:
    """Take in some of what waits; False where the index that answers is too broken for it: then after the swap."""
    try:
        take_in(engine, meanwhile, limit=BATCH, until=time.monotonic() + MEANWHILE_SECONDS)
    except EngineDown as error:
        logger.warning("search: what changes waits for the new index: %s", error)
        return False
    return True


def _give_up(engine: Engine, claim: _Claim, run: SearchRun, error: BaseException) -> None:
    """Leave row and run so that another can begin at once; nothing here hides why it failed."""
    name = f"{type(error).__name__}: {error}"
    is_down = isinstance(error, EngineDown) and not engine.has_one_writer
    # A person's wish: nobody is to begin again by himself.
    is_stopped = isinstance(error, Stopped | KeyboardInterrupt)
    logger.warning("search: the index was not made anew: %s", name)
    try:
        with transaction.atomic():
            claim.give_back(None if is_stopped else DOWN_WAIT if is_down else FAULT_WAIT)
            run.end("cancelled" if is_stopped else "failed", detail="" if is_stopped else name)
    except Exception:
        logger.exception("search: the rebuild's row stays leased until %s", claim.until)


def _remember(failed: dict[str, str]) -> None:
    """What is not in the new index is tried again by itself, and parked with its reason where it fails again."""
    for number, reason in failed.items():
        logger.error("search: %s is not in the new index: %s", number, reason)
    numbers = list(failed)
    for start in range(0, len(numbers), BATCH):
        rows = sources.versions_of(numbers[start : start + BATCH])
        write_down(SearchChange(kind=kind, key=key, version=version) for key, (kind, version) in rows.items())


def _said(failed: dict[str, str]) -> str:
    return f"{len(failed)} 条没有写入：{'、'.join(list(failed)[:5])}" if failed else ""


def roll_back(engine: Engine) -> int:
    """Answer from the index before the last rebuild again; how many it holds. What changed since is for the caller to
    put right (`reconcile`). Raises EngineDown, or NotImplementedError for an engine that keeps none.
    """
    act: Callable[[], object] | None = getattr(engine, "rollback", None)
    if act is None:
        raise NotImplementedError(engine.name)
    act()
    _wait_for_writes_under_way()
    count = engine.status().documents
    now = timezone.now()
    SearchRun.objects.create(
        kind="rollback", engine=engine.name, outcome="done", documents=count, started_at=now, finished_at=now
    )
    return count


def _wait_for_writes_under_way() -> None:
    """Another process may write what it has in its hands into the index that has just been put away, and then forget
    its rows: whoever compares after that finds them.
    """
    leases = set(SearchChange.objects.leased().exclude(kind=REBUILD).values_list("pk", "leased_until"))
    while leases & set(SearchChange.objects.leased().values_list("pk", "leased_until")):
        time.sleep(0.1)
