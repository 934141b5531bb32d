"""How the index is and what waits for it, in one look: for `search_status` and the staff's page."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from . import changes
from .engines import Status, get_engine
from .models import SearchAlarm, SearchChange, SearchRun


@dataclass(frozen=True)
class Overview:
    """`waiting`: by kind, a rebuild that is asked for not counted; `oldest`: how long the first of them waits."""

    status: Status
    waiting: dict[str, int]
    leased: int
    resting: int
    parked: int
    oldest: dt.timedelta | None
    alarms: int
    last_reconcile: SearchRun | None
    last_rebuild: SearchRun | None
    is_rebuild_asked: bool

    @property
    def waits(self) -> int:
        return sum(self.waiting.values())


def look() -> Overview:
    """Ask engine and database. Raises EngineUnavailable; an engine that is down says so in its status."""
    now = timezone.now()
    rows = SearchChange.objects.exclude(kind=changes.REBUILD)
    waiting = rows.waiting()
    counts = waiting.order_by().aggregate(
        leased=Count("pk", filter=Q(leased_until__gte=now)), resting=Count("pk", filter=Q(not_before__gt=now))
    )
    oldest = waiting.values_list("created_at", flat=True).first()
    runs = SearchRun.objects.exclude(outcome="running")
    return Overview(
        status=get_engine().status(),
        waiting=dict(waiting.order_by().values_list("kind").annotate(Count("pk"))),
        leased=counts["leased"],
        resting=counts["resting"],
        parked=rows.parked().count(),
        oldest=now - oldest if oldest else None,
        alarms=SearchAlarm.objects.filter(handled_at=None).count(),
        last_reconcile=runs.filter(kind="reconcile").first(),
        last_rebuild=runs.filter(kind="rebuild").first(),
        is_rebuild_asked=SearchChange.objects.filter(kind=changes.REBUILD).exists(),
    )


def as_dict(found: Overview) -> dict[str, Any]:
    """The same for a script."""
    status = found.status
    return {
        "engine": status.engine,
        "state": status.state,
        "detail": status.detail,
        "documents": status.documents,
        "tombstones": status.tombstones,
        "index_time": status.index_time.isoformat() if status.index_time else None,
        "analyzer_version": status.analyzer_version,
        "schema_version": status.schema_version,
        "waiting": found.waiting,
        "oldest_waiting_seconds": round(found.oldest.total_seconds(), 1) if found.oldest is not None else None,
        "leased": found.leased,
        "resting": found.resting,
        "parked_count": found.parked,
        "parked": list(SearchChange.objects.parked().values("kind", "key", "tries", "parked_reason")[:100]),
        "rebuild_asked": found.is_rebuild_asked,
        "last_reconcile": _run(found.last_reconcile),
        "last_rebuild": _run(found.last_rebuild),
        "alarms": found.alarms,
    }


def _run(run: SearchRun | None) -> dict[str, Any] | None:
    if run is None:
        return None
    names = ("outcome", "documents", "missing", "extra", "stale", "detail")
    ended = run.finished_at or run.started_at
    return {"at": ended.isoformat(), **{name: getattr(run, name) for name in names}}
