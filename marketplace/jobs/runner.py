"""Works off jobs. A job is claimed by compare-and-set and keeps a lease (`beat_at`); where the process died, the lease
runs out and the job is taken up again."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from django.contrib.auth import get_user_model
from django.core.files import File
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace.files import clean_name
from marketplace.notifications.services import notify

from .kinds import function_for
from .models import Job

logger = logging.getLogger(__name__)

# A job whose function says nothing for so long is thought dead. Progress is written at most each half second.
LEASE = dt.timedelta(seconds=90)
WRITE_SECONDS = 0.5
LOG_LIMIT = 60_000
# Taken up so often in vain, a job is given up: something in it kills the process.
TRIES = 3


class Cancelled(Exception):
    """The person asked to stop; what was done inside the open transaction is rolled back by leaving it."""


class Lost(Exception):
    """Another process has taken the job over, because this one was silent for too long."""


class Interrupted(Exception):
    """This process ends: the job goes back to those that wait, and another process begins it anew."""


class NotAllowed(Exception):
    """The person who asked for it may no longer have it."""


# Set while the process ends: what runs stops at its next step instead of being cut off by the end.
stopping = threading.Event()


class Progress:
    """What a job's function says while it works. Every call that writes also renews the lease."""

    def __init__(self, job: Job, clock: Callable[[], float] = time.monotonic) -> None:
        self.job = job
        self._clock = clock
        self._written = clock()
        self._started_at = job.started_at

    def stage(self, name: str, total: int = 0) -> None:
        """Begin a named stage with `total` steps (0: unknown). Raises Cancelled."""
        self._write(stage=name[:80], done=0, total=total)
        self.check()

    def step(self, count: int = 1) -> None:
        """Say that `count` more steps are done; cheap, may be called for every row. Raises Cancelled."""
        self.job.done += count
        if self._clock() - self._written >= WRITE_SECONDS:
            self._write(done=self.job.done)
            self.check()

    def log(self, line: str) -> None:
        """Add a line that the person may read. The newest 60,000 characters are kept."""
        text = f"{self.job.log}{timezone.localtime():%H:%M:%S} {line}\n"
        self._write(log=text[-LOG_LIMIT:], done=self.job.done)

    def result(self, file: IO[bytes], name: str) -> None:
        """Keep a file that only the job's owner may fetch, under `name`. Raises NotAllowed."""
        ensure_allowed(self.job)
        name = clean_name(name)
        # Stored under a name that nobody can guess and that says nothing; the person's name for it lies in the row.
        self.job.result.save(f"{secrets.token_hex(16)}{Path(name).suffix}", File(file), save=False)
        self._write(result=self.job.result.name, result_name=name)

    def check(self) -> None:
        """Raise Cancelled when the person has asked to stop, Interrupted when this process must."""
        if stopping.is_set():
            raise Interrupted
        if Job.objects.filter(pk=self.job.pk, is_cancel_asked=True).exists():
            raise Cancelled

    def _write(self, **changes: Any) -> None:
        # The start time names this run: a job that was taken over has another one.
        mine = Job.objects.filter(pk=self.job.pk, state="running", started_at=self._started_at)
        if not mine.update(beat_at=timezone.now(), **changes):
            raise Lost
        for name, value in changes.items():
            setattr(self.job, name, value)
        self._written = self._clock()


def ensure_allowed(job: Job) -> None:
    """Raise NotAllowed where the person has been shut out since, or no longer acts for the organisation it is for.

    Asked when the work begins and again before its file is kept: hours may lie between the click and either.
    """
    by = get_user_model().objects.filter(pk=job.by_id).first()
    if by is None or not by.is_active:
        raise NotAllowed(_("提出任务的账号已停用。"))
    if job.on_behalf_of_id and not by.is_administrator and job.on_behalf_of_id not in by.organization_ids():
        raise NotAllowed(_("您已不能代表这家单位，任务没有办理。"))


def claim(at_once: int | None = None) -> Job | None:
    """Take the oldest job that waits or whose process died; None where there is none, another was faster, or
    `at_once` jobs are being done already.
    """
    now = timezone.now()
    if at_once and Job.objects.filter(state="running", beat_at__gte=now - LEASE).count() >= at_once:
        return None
    stale = Q(state="running") & (Q(beat_at__lt=now - LEASE) | Q(beat_at=None))
    job = Job.objects.filter(Q(state="queued") | stale).order_by("created_at").first()
    if job is None:
        return None
    again = job.state == "running"
    tries = job.tries + 1
    taken = Job.objects.filter(pk=job.pk, state=job.state, beat_at=job.beat_at, started_at=job.started_at).update(
        state="running", started_at=now, beat_at=now, tries=tries, done=0, total=0, stage=""
    )
    if not taken:
        return None
    job.refresh_from_db()
    if again:
        Progress(job).log(_("上次办理时程序中断，现在从头再来（第 %(n)d 次）。") % {"n": tries})
    return job


def run(job: Job) -> Job:
    """Do a claimed job to its end and write how it ended."""
    progress = Progress(job)
    function = function_for(job.kind)
    try:
        if job.is_cancel_asked:
            raise Cancelled
        if job.tries > TRIES:
            return _end(progress, "failed", _("办理中连续中断 %(n)d 次，已停止。请联系管理员。") % {"n": TRIES})
        if function is None:
            return _end(progress, "failed", _("这个版本的程序不会办理这种任务。"))
        ensure_allowed(job)
        function(job, progress)
    except Interrupted:
        return _give_back(progress)
    except Cancelled:
        return _end(progress, "cancelled", "")
    except Lost:
        logger.warning("job %s was taken over by another process", job.pk)
        return job
    except NotAllowed as error:
        logger.warning("job %s (%s) is not allowed any more", job.pk, job.kind)
        return _end(progress, "failed", str(error))
    except Exception as error:
        logger.exception("job %s (%s) failed", job.pk, job.kind)
        return _end(progress, "failed", str(error) or type(error).__name__)
    return _end(progress, "done", "")


@transaction.atomic
def _end(progress: Progress, state: str, error: str) -> Job:
    job = progress.job
    finished = timezone.now()
    mine = Job.objects.filter(pk=job.pk, state="running", started_at=progress._started_at)
    if mine.update(state=state, error=error[:500], finished_at=finished, beat_at=finished, done=job.done):
        job.refresh_from_db()
        if state != "cancelled":
            notify(
                [job.by],
                "jobs/notices/finished",
                dedupe=f"job-{job.pk}",
                url=reverse("job", args=[job.pk]),
                mail=False,
                context={"job": job},
            )
    return job


def _give_back(progress: Progress) -> Job:
    """Let another process begin the job anew at once, and count no try: nothing in the job was at fault."""
    job = progress.job
    mine = Job.objects.filter(pk=job.pk, state="running", started_at=progress._started_at)
    if mine.update(state="queued", started_at=None, beat_at=None, tries=job.tries - 1, done=0, total=0, stage=""):
        job.refresh_from_db()
    return job


def work_off(limit: int = 20, at_once: int | None = None) -> int:
    """Do what waits, one after another, beside at most `at_once - 1` others; how many were done."""
    count = 0
    while count < limit and not stopping.is_set() and (job := claim(at_once)) is not None:
        run(job)
        count += 1
    return count
