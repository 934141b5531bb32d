"""检索状态: what staff see of the index and what they can do about it; nobody else knows that there is such a page."""

from __future__ import annotations

import datetime as dt
import os

import pytest
from django.urls import reverse
from django.utils import timezone

from marketplace.jobs import runner
from marketplace.jobs.models import Job
from marketplace.operations import searching
from marketplace.workflow import history
from search import changes, due
from search.engines import close_engine, get_engine
from search.models import SearchAlarm, SearchChange, SearchRun
from search.query import Query
from tests.factories import AchievementFactory, UserFactory
from tests.search.markets import fresh_market

pytestmark = pytest.mark.django_db

PAGE = "/admin/search-state/"


@pytest.fixture(autouse=True)
def index(settings, tmp_path, monkeypatch):
    """A sound index of an empty market, in a folder."""
    settings.DATA_DIR, settings.SEARCH_URL = tmp_path, "embedded:"
    close_engine()
    changes.rebuild()
    yield
    close_engine()


@pytest.fixture
def moderator(client):
    person = UserFactory(moderator=True)
    client.force_login(person)
    return person


def parked(key="CG-2026-AAAAAA", **given):
    return SearchChange.objects.create(
        kind="achievement", key=key, version=1, tries=5, parked_reason="ValueError: 坏字符", **given
    )


def alarm(**given):
    return SearchAlarm.objects.create(kind="hidden_hit", key="XQ-2026-BBBBBB", place="search", **given)


def text(client, page=PAGE):
    response = client.get(page)
    assert response.status_code == 200
    return response.content.decode()


class TestWhoMay:
    def test_strangers_get_404_and_change_nothing(self, client):
        row, raised = parked(), alarm()
        posts = {
            reverse("search_rebuild"): {},
            reverse("search_retry"): {"key": row.key},
            reverse("search_alarm", args=[raised.pk]): {},
        }
        assert client.get(PAGE).status_code == 302, "a visitor is asked to sign in"
        for person in (UserFactory(), UserFactory(editor=True)):
            client.force_login(person)
            answers = [client.get(PAGE), *(client.post(url, data) for url, data in posts.items())]
            # Wagtail sends people who may not enter the back office away before our check says 404.
            expected = 404 if person.is_staff else 302
            assert {answer.status_code for answer in answers} == {expected}
        row.refresh_from_db()
        raised.refresh_from_db()
        assert (row.parked_reason, raised.handled_at, Job.objects.count()) == ("ValueError: 坏字符", None, 0)

    @pytest.mark.parametrize("role", ["moderator", "administrator"])
    def test_moderators_and_administrators_may(self, client, role):
        client.force_login(UserFactory(**{role: True}))
        assert "检索状态" in text(client)
        assert PAGE in client.get("/admin/reports/aging-pages/", follow=True).content.decode() or role == "moderator"

    def test_the_acts_are_posts_with_a_token(self, client, moderator):
        from django.test import Client

        for name, args in (("search_rebuild", []), ("search_retry", []), ("search_alarm", [alarm().pk])):
            assert client.get(reverse(name, args=args)).status_code == 405
            strict = Client(enforce_csrf_checks=True)
            strict.force_login(moderator)
            assert strict.post(reverse(name, args=args)).status_code == 403


class TestWhatItSays:
    def test_a_well_index(self, client, moderator):
        AchievementFactory(published=True)
        changes.drain()
        due.compare(repair=False)
        page = text(client)
        for said in ("正常", "内嵌索引", "1 条全部一致", "没有未处理的告警", "发布和修改在一秒内进入索引"):
            assert said in page

    def test_what_waits_with_its_age_and_what_is_in_a_drains_hands(self, client, moderator):
        old = timezone.now() - dt.timedelta(minutes=7)
        SearchChange.objects.create(kind="demand", key="XQ-2026-000001", version=1, created_at=old)
        lease = timezone.now() + dt.timedelta(seconds=20)
        SearchChange.objects.create(kind="achievement", key="CG-2026-000001", version=1, leased_until=lease)
        page = text(client)
        assert "2 条改动等待进入索引，最早的已等 7 分钟。其中 1 条正在写入，0 条刚失败过" in page
        assert "<li>成果 1</li><li>需求 1</li>" in page

    def test_drift_alarms_and_parked_changes(self, client, moderator):
        listing = AchievementFactory(published=True)
        changes.drain()
        get_engine().drop([(listing.number, 9)])
        due.compare(repair=True)
        parked()
        page = text(client)
        assert f"缺少 1 条，多余 0 条，过时 0 条：{listing.number}" in page
        assert "索引与数据库不一致" in page
        assert "ValueError: 坏字符" in page

    def test_an_engine_that_is_down_and_one_that_does_not_exist(self, client, moderator, settings):
        close_engine()
        settings.SEARCH_URL = "http://127.0.0.1:9"
        page = text(client)
        assert "连不上" in page
        assert "不会丢失" in page
        close_engine()
        settings.SEARCH_URL = "sphinx://search"
        assert "SEARCH_URL" in text(client)

    @pytest.mark.elasticsearch
    def test_an_index_on_servers(self, client, moderator, settings, tmp_path, monkeypatch):
        settings.SEARCH_URL = os.environ["TEST_SEARCH_URL"]
        with fresh_market(settings, tmp_path, monkeypatch):
            changes.rebuild()
            page = text(client)
        assert "<td>Elasticsearch</td>" in page
        assert "正常" in page

    def test_its_cost_does_not_grow_with_what_is_parked(self, client, moderator, django_assert_max_num_queries):
        for n in range(30):
            parked(f"CG-2026-{n:06d}")
        text(client)
        with django_assert_max_num_queries(40):
            page = text(client, PAGE + "?p=2")
        assert "第 2 页，共 2 页" in page


class TestRetry:
    def test_one_parked_change_is_tried_again(self, client, moderator):
        kept, other = parked(), parked("CG-2026-CCCCCC")
        answer = client.post(reverse("search_retry"), {"key": kept.key}, follow=True)
        assert "1 条改动重新排队" in answer.content.decode()
        assert list(SearchChange.objects.parked()) == [other]
        kept.refresh_from_db()
        assert (kept.tries, kept.parked_reason) == (0, "")
        assert [entry.action for entry in history(kept)] == ["search.retry"]

    def test_all_of_them_and_a_second_time_none(self, client, moderator):
        parked()
        parked("CG-2026-CCCCCC")
        client.post(reverse("search_retry"))
        assert not SearchChange.objects.parked().exists()
        assert "没有需要重试" in client.post(reverse("search_retry"), follow=True).content.decode()


class TestAlarm:
    def test_it_is_closed_once_and_says_by_whom(self, client, moderator):
        raised = alarm()
        url = reverse("search_alarm", args=[raised.pk])
        assert "已标为处理" in client.post(url, follow=True).content.decode()
        raised.refresh_from_db()
        assert (raised.handled_by, raised.handled_at is not None) == (moderator, True)
        client.force_login(UserFactory(administrator=True))
        assert "已经有人处理过" in client.post(url, follow=True).content.decode()
        raised.refresh_from_db()
        assert raised.handled_by == moderator
        assert client.post(reverse("search_alarm", args=[raised.pk + 1])).status_code == 404


class TestRebuild:
    def test_it_is_a_job_with_progress(self, client, moderator):
        listing = AchievementFactory(published=True)
        SearchChange.objects.all().delete()
        answer = client.post(reverse("search_rebuild"))
        job = Job.objects.get()
        assert answer.url == reverse("job", args=[job.pk])
        assert client.post(reverse("search_rebuild")).url == answer.url, "a second press opens the same job"
        assert runner.work_off() == 1
        job.refresh_from_db()
        assert (job.state, job.done, job.total) == ("done", 1, 1)
        assert get_engine().find(Query()).ids == (listing.number,) or get_engine().find(Query()).ids == [listing.number]
        run = SearchRun.objects.filter(kind="rebuild").first()
        assert (run.outcome, run.documents, str(moderator) in run.reason) == ("done", 1, True)
        assert "看进度" not in text(client)

    def test_another_moderator_is_told_whose_it_is(self, client, moderator):
        searching.rebuild(by=UserFactory(administrator=True, name="管理员甲"))
        answer = client.post(reverse("search_rebuild"), follow=True)
        assert "管理员甲 已经发起了重建" in answer.content.decode()
        assert Job.objects.count() == 1

    def test_cancelled_it_leaves_the_old_index_and_nothing_waiting(self, client, moderator, tmp_path, monkeypatch):
        AchievementFactory(published=True)
        changes.drain()
        before = (tmp_path / "search" / "CURRENT").read_text()
        monkeypatch.setattr(runner, "WRITE_SECONDS", -1)
        job = searching.rebuild(by=moderator)
        real = runner.Progress.stage

        def cancelled_meanwhile(self, name, total=0):
            real(self, name, total)
            Job.objects.update(is_cancel_asked=True)

        monkeypatch.setattr(runner.Progress, "stage", cancelled_meanwhile)
        runner.work_off()
        job.refresh_from_db()
        assert job.state == "cancelled"
        assert (tmp_path / "search" / "CURRENT").read_text() == before
        assert changes.waiting() == 0
        assert SearchRun.objects.first().outcome == "cancelled"
        assert [path.name for path in (tmp_path / "search").glob("g*")] == [before]

    def test_who_lost_the_right_meanwhile_rebuilds_nothing(self, moderator, tmp_path):
        before = (tmp_path / "search" / "CURRENT").read_text()
        job = searching.rebuild(by=moderator)
        moderator.groups.clear()
        runner.work_off()
        job.refresh_from_db()
        assert (job.state, "没有重建索引的权限" in job.error) == ("failed", True)
        assert (tmp_path / "search" / "CURRENT").read_text() == before
