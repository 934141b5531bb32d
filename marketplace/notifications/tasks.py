"""What a worker, or a thread of the site, does for notices."""

from __future__ import annotations

from celery import shared_task

from . import sending


@shared_task(soft_time_limit=540, time_limit=600)
def mail() -> int:
    """Send the mails that are due; how many left."""
    return sending.send_waiting()["mails"]
