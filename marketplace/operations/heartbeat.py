"""Do the workers still work? A canary goes through the queue each 15 seconds; the row it writes is the only proof.

A process that is alive proves nothing: after its broker was away, a worker may wait for ever on a connection that
nobody answers.
"""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Heartbeat

WORKER = "worker"
# Four canaries in a row that did not arrive.
LATE = dt.timedelta(seconds=60)


def beat(name: str = WORKER) -> None:
    """Write that `name` works at this moment."""
    Heartbeat.objects.update_or_create(name=name, defaults={"at": timezone.now()})


def lacks_of_workers() -> list[str]:
    """What is wrong with the workers, as lines with the cure; empty where all is well or the site needs none."""
    if not settings.REDIS_URL:
        return []
    last = Heartbeat.objects.filter(name=WORKER).values_list("at", flat=True).first()
    if last is not None and timezone.now() - last <= LATE:
        return []
    when = _("从未有过") if last is None else f"{timezone.localtime(last):%m-%d %H:%M:%S}"
    said = _("任务进程没有应答（最近一次：%(when)s）：确认 worker、beat 和 Redis 在运行，必要时重启 worker")
    return [said % {"when": when}]
