"""What a worker, or a thread of the site, does for jobs."""

from __future__ import annotations

from celery import shared_task

from . import runner

# So many long jobs run side by side at most: the other processes of the worker stay free for what must be quick.
AT_ONCE = 2


# Acknowledged at once, unlike the others: a job may take hours, more than any message may stay unacknowledged, and its
# row has a lease of its own that another process takes over.
@shared_task(acks_late=False, soft_time_limit=6 * 3600, time_limit=6 * 3600 + 60)
def work_off() -> int:
    """Do one job that waits; how many were done. The next is asked for at once, so that nobody waits for the clock."""
    done = runner.work_off(limit=1, at_once=AT_ONCE)
    if done:
        work_off.hint()
    return done
