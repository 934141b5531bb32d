"""What the clock makes due here: what waits for the index, and once a night a comparison of index and database."""

from __future__ import annotations

import datetime as dt
import logging

from django.db.models import Q
from django.utils import timezone

from . import changes, checked
from .engines import EngineDown, get_engine
from .models import SearchRun

logger = logging.getLogger(__name__)

# The night begins for us at three, when nobody waits for an answer.
HOUR = dt.timedelta(hours=3)
# A comparison that says nothing for so long is dead; one that failed is tried again as late.
LEASE = dt.timedelta(minutes=30)
# What is kept of comparisons and rebuilds.
KEPT = dt.timedelta(days=90)


def run() -> dict[str, int]:
    """Drain; once a night also compare index and database, and put right what differs."""
    done = {"indexed": 0, "dropped": 0, "drifted": 0}
    try:
        drained = changes.drain()
        done |= {"indexed": drained.indexed, "dropped": drained.dropped}
        if not drained.is_busy and (night := _claim_night()) is not None:
            done["drifted"] = len(compare(night, repair=True))
            SearchRun.objects.filter(started_at__lt=timezone.now() - KEPT).delete()
    except EngineDown as error:
        # The rows wait; the site says on its pages and in `search_status` that the index does not answer.
        logger.error("search: %s", error)
    return done


def compare(run: SearchRun | None = None, *, repair: bool) -> changes.Drift:
    """Compare index and database, keep what was found, raise the alarm where something was. Raises EngineDown."""
    if run is None:
        run = SearchRun.objects.create(kind="reconcile", engine=get_engine().name)
    try:
        drift = changes.reconcile(repair=repair)
    except Exception as error:
        run.end("failed", detail=f"{type(error).__name__}: {error}")
        raise
    counts = {"missing": len(drift.missing), "extra": len(drift.extra), "stale": len(drift.stale)}
    run.end("done", documents=drift.compared, detail=str(drift) if drift else "", **counts)
    if drift:
        checked.raise_alarm("drift", "*", "reconcile", str(drift))
    return drift


def _claim_night() -> SearchRun | None:
    """This night's comparison, for exactly one process; None where it was made, is being made, or failed just now."""
    now = timezone.now()
    period = timezone.localdate(now - HOUR).isoformat()
    made, is_new = SearchRun.objects.get_or_create(
        period=period, defaults={"kind": "reconcile", "engine": get_engine().name, "started_at": now}
    )
    if is_new:
        return made
    stuck = Q(outcome="running", started_at__lt=now - LEASE) | Q(outcome="failed", finished_at__lt=now - LEASE)
    again = SearchRun.objects.filter(stuck, pk=made.pk, started_at=made.started_at)
    if not again.update(started_at=now, outcome="running", finished_at=None):
        return None
    made.refresh_from_db()
    return made
