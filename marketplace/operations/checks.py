"""System checks of what must fit together between settings, said at start-up with the cure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error

from marketplace.celery import app

BROKERS = ("redis", "rediss")
SHARED_CACHES = ("marketplace.caching.ForgivingRedisCache", "django.core.cache.backends.redis.RedisCache")


def our_tasks() -> list[Any]:
    """Every task of ours that a worker may be given."""
    return [task for name, task in sorted(app.tasks.items()) if not name.startswith("celery.")]


def check_limits(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """Soft below hard, and hard below the time after which the broker gives the same message to somebody else."""
    return list(_limits())


def _limits() -> Iterator[CheckMessage]:
    visible = settings.CELERY_BROKER_TRANSPORT_OPTIONS.get("visibility_timeout", 0)
    for task in our_tasks():
        # Each task has its own limits or, since it was bound to the app, the general ones.
        soft, hard = task.soft_time_limit, task.time_limit
        if hard is None or soft is None:
            yield Error(
                f"任务 {task.name} 没有时限：卡住后会永远占着一个进程。",
                hint="给任务写上 soft_time_limit 和 time_limit，或在设置中写总的时限。",
                id="market.E001",
            )
        elif soft >= hard:
            yield Error(
                f"任务 {task.name} 的软时限 {soft} 秒不小于硬时限 {hard} 秒：来不及收尾就会被杀。",
                hint="软时限要小于硬时限。",
                id="market.E002",
            )
        if task.acks_late and hard is not None and hard >= visible:
            yield Error(
                f"任务 {task.name} 可运行 {hard} 秒，而消息 {visible} 秒未确认就会再派给别的进程：会同时办两遍。",
                hint="减小任务的 time_limit，或增大 CELERY_BROKER_TRANSPORT_OPTIONS 的 visibility_timeout。",
                id="market.E003",
            )


def check_delivery(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """The settings without which tasks are lost: measured, Celery's own lost 293 of 3,000."""
    wanted = {
        "CELERY_TASK_ACKS_LATE": True,
        "CELERY_TASK_REJECT_ON_WORKER_LOST": True,
        "CELERY_WORKER_PREFETCH_MULTIPLIER": 1,
        "CELERY_ACCEPT_CONTENT": ["json"],
    }
    found: list[CheckMessage] = [
        Error(
            f"{name} 应为 {value}，现在是 {getattr(settings, name, None)}：进程中断时任务会丢失，或接受不可信的内容。",
            hint="恢复 marketplace/settings/base.py 中的值。",
            id="market.E004",
        )
        for name, value in wanted.items()
        if getattr(settings, name, None) != value
    ]
    if settings.REDIS_URL and urlsplit(settings.CELERY_BROKER_URL).scheme not in BROKERS:
        found.append(
            Error(
                f"消息队列应为 Redis，现在是 {urlsplit(settings.CELERY_BROKER_URL).scheme or '空'}。",
                hint="REDIS_URL 写成 redis://主机:6379/0。",
                id="market.E005",
            )
        )
    return found


def check_processes(app_configs: Any = None, **_kwargs: Any) -> list[CheckMessage]:
    """Several web processes share their counts and leave the tasks to workers."""
    count = os.environ.get("WEB_CONCURRENCY") or "1"
    if not count.isdigit() or int(count) < 1:
        wrong = f"WEB_CONCURRENCY 应为正整数，现在是“{count}”。"
        return [Error(wrong, hint="如 WEB_CONCURRENCY=2。", id="market.E006")]
    if int(count) > 1 and settings.REDIS_URL and settings.CACHES["default"]["BACKEND"] not in SHARED_CACHES:
        return [
            Error(
                f"网站有 {count} 个进程，而缓存不是 Redis：访问限次会各算各的。",
                hint="CACHES 用 marketplace.caching.ForgivingRedisCache，或 WEB_CONCURRENCY=1。",
                id="market.E007",
            )
        ]
    return []
