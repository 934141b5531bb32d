"""What the clock makes due here: what waits for the index, and once a day a comparison of index and database."""

from __future__ import annotations

import logging
import time
from pathlib import Path

from django.conf import settings

from . import changes
from .engines import EngineDown

logger = logging.getLogger(__name__)

DAY = 24 * 60 * 60


def run() -> dict[str, int]:
    """Drain; a day after the last time also reconcile, and ask for a new index where the two differ."""
    done = {"indexed": 0, "dropped": 0, "drifted": 0}
    try:
        drained = changes.drain()
        done |= {"indexed": drained.indexed, "dropped": drained.dropped}
        if not drained.is_busy and _is_time():
            drift = changes.reconcile(repair=True)
            done["drifted"] = len(drift.missing) + len(drift.extra) + len(drift.stale)
    except EngineDown as error:
        # The rows wait; the site says on its pages and in `search_status` that the index does not answer.
        logger.error("search: %s", error)
    return done


def _is_time() -> bool:
    """True once a day, whichever process asks: the mark is a file beside the index."""
    mark = Path(settings.DATA_DIR) / "search" / "reconciled"
    try:
        if time.time() - mark.stat().st_mtime < DAY:
            return False
    except FileNotFoundError:
        mark.parent.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return True
