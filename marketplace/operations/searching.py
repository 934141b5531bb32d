"""What staff do about the search index: have it made anew, try again what failed, close an alarm."""

from __future__ import annotations

import time
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace import workflow
from marketplace.jobs import services as jobs
from marketplace.jobs.models import Job
from marketplace.jobs.runner import Cancelled, Progress
from search import changes, sources
from search.engines import EngineBusy, get_engine
from search.models import SearchAlarm, SearchChange

REBUILD = "search.rebuild"
LOG_ACTIONS = {
    "search.rebuild": "重建检索索引",
    "search.retry": "重试写入检索索引",
    "search.alarm": "处理检索告警",
}
# The writer may be in the middle of a drain; after this the row asks it to make the index anew itself.
PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.5


def may_tend(user: Any) -> bool:
    """Moderators and administrators, as with reports."""
    return bool(getattr(user, "is_authenticated", False) and user.is_moderator)


@transaction.atomic
def rebuild(*, by: Any) -> Job:
    """Start a rebuild; where one waits or runs already, give that one back."""
    running = Job.objects.filter(kind=REBUILD, state__in=("queued", "running")).order_by("created_at").first()
    if running is not None:
        return running
    job = jobs.start(REBUILD, _("重建检索索引"), by=by)
    workflow.record_act(job, "search.rebuild", by=by)
    return job


def work_on_rebuild(job: Job, progress: Progress) -> None:
    """The job itself, in whichever process works off jobs. Raises Cancelled, PermissionError, EngineDown."""
    if not may_tend(type(job.by).objects.get(pk=job.by_id)):
        raise PermissionError(_("您已没有重建索引的权限。"))
    progress.stage(_("由数据库重建索引"), total=sources.count())

    def stepped(count: int) -> None:
        try:
            progress.step(count)
        except Cancelled as stop:
            raise changes.Stopped from stop

    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            count = changes.rebuild(on_progress=stepped, reason=_("%(who)s 发起") % {"who": job.by})
            break
        except changes.Stopped as stop:
            raise Cancelled from stop
        except EngineBusy:
            progress.check()
            if time.monotonic() > until:
                count = _left_to_the_writer(progress)
                break
            time.sleep(POLL_SECONDS)
    progress.log(_("索引已重建，共 %(n)d 条。") % {"n": count})


def _left_to_the_writer(progress: Progress) -> int:
    """Ask the process that writes the index, and wait until it is done. Raises Cancelled: then it goes on."""
    progress.log(_("另一个进程正在写索引，由它重建，请稍候。"))
    changes.ask_for_rebuild()
    while SearchChange.objects.filter(kind=changes.REBUILD).exists():
        # Also says that this job is alive.
        progress.stage(_("等待另一个进程重建索引"))
        time.sleep(POLL_SECONDS)
    return get_engine().status().documents


@transaction.atomic
def retry(keys: list[str] | None, *, by: Any) -> int:
    """Take parked changes up again, those named or all; how many."""
    parked = SearchChange.objects.parked()
    if keys is not None:
        parked = parked.filter(key__in=keys)
    for row in list(parked[:100]):
        workflow.record_act(row, "search.retry", by=by, note=row.parked_reason)
    count = parked.order_by().retry()
    if count:
        transaction.on_commit(changes.nudge, robust=True)
    return count


@transaction.atomic
def close_alarm(alarm: SearchAlarm, *, by: Any) -> bool:
    """Say that somebody has seen to it; False where another was faster."""
    closed = SearchAlarm.objects.filter(pk=alarm.pk, handled_at=None).update(handled_at=timezone.now(), handled_by=by)
    if closed:
        workflow.record_act(alarm, "search.alarm", by=by)
    return bool(closed)
