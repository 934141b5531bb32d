"""The one table of what is done again and again, and from it both timetables: the beat's, and that of the site's own
threads where there is no Redis.

Each duty looks at rows and does what they ask, so it may be done twice, at the same time, late, or after a gap: none
needs a record of its periods. What must happen once is held by rows of its own: a change by its version, a match by
its claim, a job by its lease, a mail by its claim, a reminder by its key, the night's comparison by its `SearchRun`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings

from marketplace.deals import tasks as deals
from marketplace.jobs import tasks as jobs
from marketplace.notifications import tasks as notifications
from search import tasks as search

from . import tasks

# What a stop may cost: the site has ten seconds to end.
LAST_SECONDS = 2.0


@dataclass(frozen=True)
class Duty:
    """One thing done again and again: `task` each `seconds`, and at once when it is hinted at.

    `last` is done once more when the site stops. `in_process`: also without workers. The limits of time are the task's.
    """

    name: str
    seconds: float
    task: Callable[[], object]
    last: Callable[[], object] | None = None
    in_process: bool = True


def duties() -> list[Duty]:
    """What there is to do."""
    return [
        Duty("index", settings.DRAIN_SECONDS, search.drain, last=partial(search.drain, seconds=LAST_SECONDS)),
        Duty("matches", settings.DRAIN_SECONDS, deals.match),
        Duty("jobs", settings.DRAIN_SECONDS, jobs.work_off),
        Duty("mails", settings.MAIL_SECONDS, notifications.mail),
        Duty("due", settings.RUN_DUE_SECONDS, tasks.run_due),
        Duty("canary", settings.CANARY_SECONDS, tasks.canary, in_process=False),
    ]


def beat_schedule() -> dict[str, dict[str, Any]]:
    """The same for Celery. What was not taken up before the next comes is void: after a gap each is done once."""
    return {
        duty.name: {
            "task": duty.task.name,  # type: ignore[attr-defined]
            "schedule": duty.seconds,
            "options": {"expires": max(duty.seconds, settings.BEAT_EXPIRES_SECONDS)},
        }
        for duty in duties()
    }
