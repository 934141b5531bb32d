"""What a worker, or a thread of the site, does by the clock."""

from __future__ import annotations

from celery import shared_task

from . import due, heartbeat


# Long, because the night's comparison of index and database is part of it.
@shared_task(soft_time_limit=1740, time_limit=1800)
def run_due() -> int:
    """Do what a clock made due; in how many apps something went wrong."""
    return len(due.run_logged().failed)


@shared_task
def canary() -> None:
    """Come all the way from the beat through the queue into a worker, and say so in a row."""
    heartbeat.beat()
