"""The inbox: one's own only, read and unread, nothing for a stranger."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from marketplace.notifications.models import Notice
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def notice(user, title="您已加入测试公司", **kwargs):
    count = Notice.objects.count()
    return Notice.objects.create(
        recipient=user, kind="x", title=title, text="正文", url="/accounts/", dedupe_key=f"k{count}", **kwargs
    )


def test_notices_are_grouped_by_day_and_counted(client):
    user = UserFactory()
    notice(user)
    old = notice(user, "旧的一条")
    Notice.objects.filter(pk=old.pk).update(created_at=timezone.now() - dt.timedelta(days=1), read_at=timezone.now())
    client.force_login(user)
    page = client.get("/notices/").content.decode()
    assert page.index("今天") < page.index("您已加入测试公司") < page.index("昨天") < page.index("旧的一条")
    assert "（1）" in page.split("</title>")[0]
    unread = client.get("/notices/?unread=1").content.decode()
    assert "旧的一条" not in unread


def test_opening_reads_and_leads_there(client):
    user = UserFactory()
    row = notice(user)
    client.force_login(user)
    assert client.get(f"/notices/{row.pk}/")["Location"] == "/accounts/"
    assert Notice.objects.get().read_at is not None
    client.post(f"/notices/{row.pk}/mark/", {"read": "0"})
    assert Notice.objects.get().read_at is None


def test_a_notice_never_leads_away_from_the_site(client):
    user = UserFactory()
    row = notice(user)
    Notice.objects.update(url="https://example.com/")
    client.force_login(user)
    assert client.get(f"/notices/{row.pk}/")["Location"] == "/notices/"


def test_all_read_says_how_many(client):
    user, other = UserFactory(), UserFactory()
    for _ in range(3):
        notice(user)
    notice(other)
    client.force_login(user)
    page = client.post("/notices/read/", follow=True).content.decode().replace("\xa0", " ")
    assert "3 条通知已标为已读" in page
    assert Notice.objects.filter(read_at__isnull=True).get().recipient == other


def test_another_persons_notice_is_404(client):
    row = notice(UserFactory())
    client.force_login(UserFactory())
    assert client.get(f"/notices/{row.pk}/").status_code == 404
    assert client.post(f"/notices/{row.pk}/mark/", {"read": "1"}).status_code == 404
    assert Notice.objects.get().read_at is None


def test_an_empty_inbox_says_what_will_come(client):
    client.force_login(UserFactory())
    assert "还没有通知" in client.get("/notices/").content.decode()
    assert "没有未读通知" in client.get("/notices/?unread=1").content.decode()


def test_a_visitor_is_sent_to_sign_in(client):
    assert client.get("/notices/").status_code == 302


def test_many_notices_cost_no_more_queries(client, django_assert_max_num_queries):
    user = UserFactory()
    for _ in range(40):
        notice(user)
    client.force_login(user)
    with django_assert_max_num_queries(15):
        assert client.get("/notices/").content.decode().count("noticerow__dot") == 30
