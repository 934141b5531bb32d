"""Long work as rows: start one, ask it to stop. Who does it is the runner's matter.

An app that has long work registers its function once, from `AppConfig.ready()`, under a name of its own::

    jobs.register("intake.import", run_import)

    def run_import(job: Job, progress: Progress) -> None:
        progress.stage(_("读入"), total=len(rows))
        for row in rows:
            ...
            progress.step()          # raises Cancelled when the person has asked to stop

The function may run again after a crash, from the start: what it writes must bear that.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from marketplace import workflow

from . import tasks
from .kinds import _functions, register
from .models import Job

__all__ = ["cancel", "register", "start"]


@transaction.atomic
def start(kind: str, title: str, *, by: Any, parameters: dict[str, Any] | None = None, on_behalf_of: Any = None) -> Job:
    """Write a job that the site takes up within a second of the commit. Raises ValueError for a kind nobody does."""
    if kind not in _functions:
        raise ValueError(f"nobody does jobs of kind {kind}")
    job = Job.objects.create(
        kind=kind, title=title[:120], by=by, parameters=parameters or {}, on_behalf_of=on_behalf_of
    )
    transaction.on_commit(tasks.work_off.hint, robust=True)
    return job


@transaction.atomic
def cancel(job: Job, *, by: Any) -> bool:
    """Ask a job to stop: a waiting one ends at once, a running one at its next step. False where it was over."""
    now = timezone.now()
    waiting = Job.objects.filter(pk=job.pk, state="queued").update(
        state="cancelled", is_cancel_asked=True, finished_at=now
    )
    asked = waiting or Job.objects.filter(pk=job.pk, state="running", is_cancel_asked=False).update(
        is_cancel_asked=True
    )
    if asked:
        workflow.record_act(job, "job.cancel", by=by, on_behalf_of=job.on_behalf_of)
    job.refresh_from_db()
    return bool(asked)
