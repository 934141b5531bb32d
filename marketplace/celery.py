"""The Celery app. Its settings are Django's (`CELERY_…` in settings/base.py), its timetable `operations.duties`.

    python -m celery -A marketplace worker --without-gossip --without-mingle --without-heartbeat
    python -m celery -A marketplace beat

SIGTERM lets the worker end what it has begun. With REMAP_SIGTERM=SIGQUIT in its environment that has a limit,
`worker_soft_shutdown_timeout`; what is not done by then goes back to the queue.

Without REDIS_URL neither starts: the site's own process does the same tasks (operations.housekeeping).
"""

from __future__ import annotations

import os
import sys
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketplace.settings.base")

from celery import Celery, signals

app = Celery("marketplace", task_cls="marketplace.hints:Task")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.celeryd_init.connect
@signals.beat_init.connect
def refuse_without_broker(**_kwargs: Any) -> None:
    """Say what is missing; otherwise the process would look for a server that nobody named, for ever."""
    from django.conf import settings

    if not settings.REDIS_URL:
        sys.stderr.write("没有设 REDIS_URL：任务由网站进程自己办理。要用 worker 和 beat，请先设 REDIS_URL。\n")
        raise SystemExit(2)
