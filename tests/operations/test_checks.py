"""A setting that does not fit the others is said at start-up; as we ship them they all fit."""

from __future__ import annotations

import pytest
from django.core.checks import run_checks

from marketplace.operations import checks
from search.tasks import drain


def ids(found):
    return [message.id for message in found]


def test_our_own_settings_pass():
    assert [m for m in run_checks() if (m.id or "").startswith("market.")] == []


def test_a_task_that_may_take_longer_than_its_message_stays_hidden(settings):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1800}
    found = checks.check_limits()
    # A job is acknowledged at once, so that its hours do not matter.
    assert ids(found) == ["market.E003", "market.E003"]
    assert "search.tasks.drain" in found[1].msg


def test_a_soft_limit_must_come_before_the_hard_one(monkeypatch):
    monkeypatch.setattr(drain, "soft_time_limit", drain.time_limit)
    assert ids(checks.check_limits()) == ["market.E002"]


@pytest.mark.parametrize("limit", ["soft_time_limit", "time_limit"])
def test_a_task_without_a_limit(monkeypatch, limit):
    monkeypatch.setattr(drain, limit, None)
    assert ids(checks.check_limits()) == ["market.E001"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CELERY_TASK_ACKS_LATE", False),
        ("CELERY_TASK_REJECT_ON_WORKER_LOST", False),
        ("CELERY_WORKER_PREFETCH_MULTIPLIER", 4),
        ("CELERY_ACCEPT_CONTENT", ["json", "pickle"]),
    ],
)
def test_what_would_lose_tasks(settings, name, value):
    setattr(settings, name, value)
    found = checks.check_delivery()
    assert ids(found) == ["market.E004"]
    assert name in found[0].msg


def test_a_broker_other_than_redis(settings):
    settings.REDIS_URL = settings.CELERY_BROKER_URL = "amqp://127.0.0.1"
    assert ids(checks.check_delivery()) == ["market.E005"]


@pytest.mark.parametrize("count", ["0", "viele", "-1"])
def test_a_number_of_processes_that_is_none(monkeypatch, count):
    monkeypatch.setenv("WEB_CONCURRENCY", count)
    assert ids(checks.check_processes()) == ["market.E006"]


def test_several_web_processes_need_a_cache_they_share(settings, monkeypatch):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.CELERY_BROKER_URL = settings.REDIS_URL
    assert checks.check_processes() == []
    monkeypatch.setenv("WEB_CONCURRENCY", "2")
    assert ids(checks.check_processes()) == ["market.E007"]
