"""A worker that no canary comes out of is noticed within a minute."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from marketplace.operations import heartbeat, tasks
from marketplace.operations.models import Heartbeat

pytestmark = pytest.mark.django_db


@pytest.fixture
def with_workers(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


def test_a_site_that_does_its_tasks_itself_needs_no_workers(settings):
    settings.REDIS_URL = ""
    assert heartbeat.lacks_of_workers() == []


def test_workers_that_were_never_heard_of_are_a_lack(with_workers):
    assert "从未有过" in heartbeat.lacks_of_workers()[0]


def test_a_canary_is_good_for_a_minute(with_workers):
    tasks.canary()
    tasks.canary()
    assert Heartbeat.objects.count() == 1
    now = timezone.now()
    with time_machine.travel(now + dt.timedelta(seconds=55), tick=False):
        assert heartbeat.lacks_of_workers() == []
    with time_machine.travel(now + dt.timedelta(seconds=62), tick=False):
        assert len(heartbeat.lacks_of_workers()) == 1


def test_readyz_says_worker(with_workers, client):
    missing = client.get("/readyz").json()["missing"]
    assert "worker" in missing or "workers" in missing
    tasks.canary()
    missing = client.get("/readyz").json()["missing"]
    assert "worker" not in missing
