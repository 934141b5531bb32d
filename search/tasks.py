"""What a worker, or a thread of the site, does for the index."""

from __future__ import annotations

import logging
import time

from celery import shared_task
from django.conf import settings

from . import changes
from .engines import EngineDown

logger = logging.getLogger(__name__)


# One round ends after so long, also under a steady stream of changes: a rebuild that is asked for begins between two.
ROUND_SECONDS = 5.0


# Long, because it makes the index anew where that is due: 400,000 listings take minutes.
@shared_task(soft_time_limit=1740, time_limit=1800)
def drain(seconds: float = ROUND_SECONDS) -> int:
    """Take in what waits, for about `seconds`; how many documents that were. An engine that is down is said in the
    log: the rows wait for the next second.

    The site's own thread stays the writer of the embedded index. One of several worker processes must not: the others
    would find it taken for ever.
    """
    try:
        done = changes.drain(until=time.monotonic() + seconds, keep=not settings.REDIS_URL)
    except EngineDown as error:
        logger.error("search: the index cannot be written: %s", error)
        return 0
    return done.indexed + done.dropped
