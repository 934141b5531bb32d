"""Index and database compared, number by number and both ways, and put right.

Read in chunks, so that a market of any size fits; what seems to differ is looked at a second time, so that what changes
meanwhile is not taken for a fault. The repair is a row for each number that differs; only where most of the index
differs is it made anew.

Removed listings stay in the index as tombstones until the next rebuild, which begins without them. They are not swept
away by age: one is a number and a version, and as long as it stands no write that comes late can bring its listing
back.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from django.db import connection, transaction

from . import rebuilding, sources
from .engines import Engine, get_engine
from .models import SearchChange

logger = logging.getLogger(__name__)

CHUNK = 1_000
# Where more differs than this, and more than half of what there is, a new index costs less than so many rows.
MOST = 1_000
TOMBSTONE = "~"
T = TypeVar("T")


@dataclass(frozen=True)
class Drift:
    """Where index and database differ, by number; `compared`: how many the database has. `rebuild`: most of it did,
    and a new index is asked for.
    """

    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    compared: int = 0
    rebuild: bool = False

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.stale)

    def __len__(self) -> int:
        return len(self.missing) + len(self.extra) + len(self.stale)

    @property
    def numbers(self) -> tuple[str, ...]:
        return (*self.missing, *self.extra, *self.stale)

    def __str__(self) -> str:
        some = "、".join(self.numbers[:8])
        return f"缺少 {len(self.missing)} 条，多余 {len(self.extra)} 条，过时 {len(self.stale)} 条：{some}"


@dataclass(frozen=True)
class _Fault:
    """One number that differs. `kind`: the database's, else the index's. `wanted`, `held`: the version in each, None
    where it is in neither; `removed`: the index holds a tombstone.
    """

    number: str
    kind: str
    wanted: int | None
    held: int | None
    removed: bool

    @property
    def name(self) -> str:
        if self.wanted is None:
            return "extra"
        return "missing" if self.held is None or self.removed else "stale"


@dataclass
class _Compared:
    """How many the database has; number → kind of those that seemed to differ."""

    count: int = 0
    suspects: dict[str, str] = field(default_factory=dict)


def reconcile(*, repair: bool = False, engine: Engine | None = None) -> Drift:
    """Compare every number and version both ways; what has a row is not drift. `repair` writes the rows that put it
    right, or asks for a new index. Raises EngineDown.
    """
    engine = engine or get_engine()
    compared = _compare(engine)
    suspects = sorted(compared.suspects.items())
    faults = [fault for part in _parts(suspects) for fault in _confirmed(engine, dict(part))]
    by_name: dict[str, list[str]] = {"missing": [], "extra": [], "stale": []}
    for fault in faults:
        by_name[fault.name].append(fault.number)
    whole = len(faults) > MOST and len(faults) * 2 > compared.count
    parts = {name: tuple(numbers) for name, numbers in by_name.items()}
    if repair and faults:
        logger.error("search: %d of %d differ between index and database", len(faults), compared.count)
        whole = whole or not _repair(faults)
        if whole:
            rebuilding.ask()
    return Drift(**parts, compared=compared.count, rebuild=whole and repair)


def differing(numbers: Iterable[str]) -> set[str]:
    """Which of these still differ and have no row: asked again after a repair. Raises EngineDown."""
    engine = get_engine()
    return {f.number for part in _parts(numbers) for f in _confirmed(engine, dict.fromkeys(part, ""))}


def _compare(engine: Engine) -> _Compared:
    """Read both sides once; what differs may only have changed meanwhile."""
    found = _Compared()
    for wanted in sources.versions():
        found.count += len(wanted)
        held = engine.held(wanted)
        for number, (kind, version) in wanted.items():
            if held.get(number) != (version, False):
                found.suspects[number] = kind
    for page in _parts(row for row in engine.scan() if row[1] != TOMBSTONE):
        public = sources.versions_of([number for number, _, _ in page], {kind for _, kind, _ in page})
        found.suspects |= {number: kind for number, kind, _ in page if number not in public}
    return found


def _confirmed(engine: Engine, suspects: dict[str, str]) -> Iterator[_Fault]:
    """The faults among number → kind. The order of the questions is what makes it sure.

    What changed before the first has its row still, or was in the index when that was asked; what changed later shows
    in the database's two answers.
    """
    before = sources.versions_of(suspects)
    waiting = set(SearchChange.objects.filter(key__in=suspects).values_list("key", flat=True))
    held = engine.held(suspects)
    after = sources.versions_of(suspects)
    for number, kind in suspects.items():
        if number in waiting or before.get(number) != after.get(number):
            continue
        kind, wanted = before.get(number, (kind, None))
        version, removed = held.get(number, (None, True))
        if wanted != (None if removed else version):
            yield _Fault(number, kind, wanted, version, removed)


def _repair(faults: Iterable[_Fault]) -> bool:
    """Write a row for each; False where the index is ahead of a counter that cannot be raised."""
    is_enough = True
    # Where others write meanwhile, a transaction for each, counter first, as who publishes a listing does it: no locks
    # are held while others are waited for.
    for part in _parts(faults, 1 if connection.features.has_select_for_update else CHUNK):
        rows, ahead = {}, {}
        for fault in part:
            version = fault.wanted or 0
            if fault.held is not None and fault.held >= version:
                # The engine would pass over what is not newer than what it holds.
                version = fault.held + 1
                ahead[fault.number] = (fault.kind, version)
            rows[fault.number] = SearchChange(kind=fault.kind, key=fault.number, version=version)
        with transaction.atomic():
            cannot = sources.outrun(ahead)
            SearchChange.objects.bulk_create(
                [row for number, row in rows.items() if number not in cannot], ignore_conflicts=True
            )
        is_enough = is_enough and not cannot
    return is_enough


def _parts(rows: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    each = iter(rows)
    while part := list(islice(each, size)):
        yield part
