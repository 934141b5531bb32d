"""What a worker, or a thread of the site, does for matches."""

from __future__ import annotations

from celery import shared_task

from . import suggesting


@shared_task
def match() -> int:
    """Compute the matches that are due and settled, for a few seconds; how many listings that were."""
    return suggesting.work_off_due()["matched"]
