"""News that was written ahead goes up on its day, news with an end comes down: nobody has to be there."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone

from cms import due
from cms.models import NewsIndexPage, NewsPage
from marketplace.operations import due as clock

pytestmark = pytest.mark.django_db


def news(**times):
    page = NewsPage(title="登记窗口调整通知", slug="window", kind="notice", body="<p>正文</p>", **times)
    NewsIndexPage.objects.get().add_child(instance=page)
    return page


def test_a_scheduled_page_goes_up_once(client):
    moment = timezone.now() + dt.timedelta(hours=1)
    page = news(live=False, go_live_at=moment)
    page.save_revision(approved_go_live_at=moment)
    assert due.run() == {"published": 0, "ended": 0}
    assert client.get("/news/window/").status_code == 404
    with time_machine.travel(moment + dt.timedelta(minutes=1), tick=False):
        assert due.run() == {"published": 1, "ended": 0}
        assert due.run() == {"published": 0, "ended": 0}
        assert client.get("/news/window/").status_code == 200


def test_a_page_with_an_end_comes_down(client):
    news(live=True, expire_at=timezone.now() - dt.timedelta(minutes=1))
    assert due.run() == {"published": 0, "ended": 1}
    assert client.get("/news/window/").status_code == 404


def test_the_clock_knows_of_it():
    assert clock.duties()["cms"] is due.run
