"""Long work is taken up, watched, cancelled, and taken up again after its process died."""

from __future__ import annotations

import datetime as dt
import io
import threading

import pytest
import time_machine
from django.core.files.storage import storages
from django.urls import reverse
from django.utils import timezone

from marketplace import hints
from marketplace.jobs import kinds, runner, services, tasks
from marketplace.jobs.models import Job
from marketplace.notifications.models import Notice
from marketplace.workflow import history
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def kind(monkeypatch):
    """Register a function for the length of one test; gives back the name of its kind."""

    def add(function, name="test.work"):
        monkeypatch.setitem(kinds._functions, name, function)
        return name

    return add


def _job(kind, function, **kwargs):
    return services.start(kind(function), "试验任务", by=kwargs.pop("by", None) or UserFactory(), **kwargs)


def test_a_job_runs_to_its_end_and_tells_its_owner(kind):
    def work(job, progress):
        progress.stage("计算", total=3)
        for number in job.parameters["numbers"]:
            progress.step()
            progress.log(f"第 {number} 行")
        progress.result(io.BytesIO(b"1,2,3\n"), "结果.csv")

    job = _job(kind, work, parameters={"numbers": [1, 2, 3]})
    assert runner.work_off() == 1
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.stage, job.result_name) == ("done", 3, 3, "计算", "结果.csv")
    assert [line.split(" ", 1)[1] for line in job.log.splitlines()] == ["第 1 行", "第 2 行", "第 3 行"]
    with storages["private"].open(job.result.name) as kept:
        assert kept.read() == b"1,2,3\n"
    assert "结果" not in job.result.name
    assert Notice.objects.get(recipient=job.by).url == reverse("job", args=[job.pk])


def test_a_kind_that_nobody_does_cannot_be_started():
    with pytest.raises(ValueError, match="nobody"):
        services.start("no.such", "无", by=UserFactory())


def test_two_functions_cannot_have_one_name(kind):
    name = kind(lambda job, progress: None)
    with pytest.raises(ValueError, match="another"):
        services.register(name, lambda job, progress: None)


def test_what_a_job_raises_is_kept_and_the_next_one_still_runs(kind):
    def breaks(job, progress):
        raise RuntimeError("第 7 行没有题目")

    broken = _job(kind, breaks)
    fine = services.start(kind(lambda job, progress: None, "test.fine"), "另一件", by=UserFactory())
    assert runner.work_off() == 2
    broken.refresh_from_db()
    fine.refresh_from_db()
    assert (broken.state, broken.error, fine.state) == ("failed", "第 7 行没有题目", "done")


def test_a_waiting_job_is_cancelled_at_once_and_never_runs(kind):
    ran = []
    job = _job(kind, lambda job, progress: ran.append(job))
    assert services.cancel(job, by=job.by)
    assert runner.work_off() == 0
    assert (job.state, ran) == ("cancelled", [])
    assert history(job).first().action == "job.cancel"


def test_a_running_job_stops_at_its_next_step(kind):
    steps = []

    def work(job, progress):
        progress.stage("逐行", total=10)
        services.cancel(Job.objects.get(pk=job.pk), by=job.by)
        for row in range(10):
            progress.check()
            steps.append(row)

    job = _job(kind, work)
    runner.work_off()
    job.refresh_from_db()
    assert (job.state, steps) == ("cancelled", [])
    assert not Notice.objects.filter(recipient=job.by).exists()


def test_cancelling_twice_or_too_late_does_nothing(kind):
    job = _job(kind, lambda job, progress: None)
    runner.work_off()
    assert not services.cancel(job, by=job.by)
    assert job.state == "done"


def test_a_job_whose_process_died_is_taken_up_again_after_its_lease(kind):
    ran = []
    job = _job(kind, lambda job, progress: ran.append(job.tries))
    assert runner.claim().pk == job.pk  # and then the process is killed
    assert runner.claim() is None  # the lease still runs
    with time_machine.travel(timezone.now() + runner.LEASE + dt.timedelta(seconds=1)):
        assert runner.work_off() == 1
    job.refresh_from_db()
    assert (job.state, ran) == ("done", [2])
    assert "中断" in job.log


def test_a_process_that_was_thought_dead_cannot_write_over_its_successor(kind):
    job = _job(kind, lambda job, progress: None)
    slow = runner.Progress(runner.claim())
    with time_machine.travel(timezone.now() + runner.LEASE + dt.timedelta(seconds=1)):
        assert runner.claim().pk == job.pk
        with pytest.raises(runner.Lost):
            slow.stage("太迟", total=1)
    job.refresh_from_db()
    assert job.stage == ""


def test_a_job_that_kills_its_process_again_and_again_is_given_up(kind):
    job = _job(kind, lambda job, progress: None)
    now = timezone.now()
    for n in range(runner.TRIES):
        with time_machine.travel(now + n * (runner.LEASE + dt.timedelta(seconds=1))):
            assert runner.claim().tries == n + 1
    with time_machine.travel(now + dt.timedelta(hours=1)):
        runner.work_off()
    job.refresh_from_db()
    assert job.state == "failed"
    assert "连续中断" in job.error


def test_a_job_page_is_its_owners_alone(client, kind):
    job = _job(kind, lambda job, progress: None)
    page = reverse("job", args=[job.pk])
    assert client.get(page).status_code == 302
    client.force_login(UserFactory())
    for address in (page, reverse("job_result", args=[job.pk])):
        assert client.get(address).status_code == 404
    assert client.post(reverse("job_cancel", args=[job.pk])).status_code == 404
    client.force_login(job.by)
    assert "data-open" in client.get(page).content.decode()
    assert "试验任务" in client.get(reverse("jobs")).content.decode()
    assert "<html" not in client.get(page, {"part": 1}).content.decode()
    assert client.post(reverse("job_cancel", args=[job.pk])).status_code == 302
    job.refresh_from_db()
    assert job.state == "cancelled"
    assert "data-open" not in client.get(page).content.decode()


def test_the_result_is_served_to_its_owner_alone(client, kind):
    job = _job(kind, lambda job, progress: progress.result(io.BytesIO(b"a"), "清单.csv"))
    runner.work_off()
    client.force_login(job.by)
    response = client.get(reverse("job_result", args=[job.pk]))
    assert b"".join(response.streaming_content) == b"a"
    assert response["Cache-Control"] == "no-store"
    client.force_login(UserFactory())
    assert client.get(reverse("job_result", args=[job.pk])).status_code == 404


def test_the_list_asks_the_database_no_more_for_twenty_jobs_than_for_two(client, kind, django_assert_max_num_queries):
    user = UserFactory()
    client.force_login(user)
    for _ in range(20):
        _job(kind, lambda job, progress: None, by=user)
    with django_assert_max_num_queries(12):
        client.get(reverse("jobs"))


# What may have changed between the click and the work


def test_a_job_of_somebody_shut_out_since_makes_no_file(kind):
    ran = []
    job = _job(kind, lambda job, progress: ran.append(1))
    type(job.by).objects.filter(pk=job.by_id).update(is_active=False)
    runner.work_off()
    job.refresh_from_db()
    assert (job.state, job.error, ran, bool(job.result)) == ("failed", "提出任务的账号已停用。", [], False)


def test_a_job_for_an_organisation_that_one_no_longer_acts_for_makes_no_file(kind):
    ran = []
    membership = MembershipFactory()
    job = _job(kind, lambda job, progress: ran.append(1), by=membership.user, on_behalf_of=membership.organization)
    type(membership).objects.filter(pk=membership.pk).delete()
    runner.work_off()
    job.refresh_from_db()
    assert (job.state, ran) == ("failed", [])
    assert "不能代表" in job.error


def test_who_still_acts_for_it_gets_it_done(kind):
    membership = MembershipFactory()
    job = _job(kind, lambda job, progress: None, by=membership.user, on_behalf_of=membership.organization)
    runner.work_off()
    job.refresh_from_db()
    assert job.state == "done"


def test_a_right_taken_away_while_it_ran_keeps_the_file_from_him(kind):
    def work(job, progress):
        type(job.by).objects.filter(pk=job.by_id).update(is_active=False)
        progress.result(io.BytesIO(b"1"), "结果.csv")

    job = _job(kind, work)
    runner.work_off()
    job.refresh_from_db()
    assert (job.state, bool(job.result)) == ("failed", False)


# The end of the process, and several at once


def test_a_job_goes_back_to_those_that_wait_when_its_process_ends(kind, monkeypatch):
    stopping = threading.Event()
    monkeypatch.setattr(runner, "stopping", stopping)
    rounds = []

    def work(job, progress):
        rounds.append(1)
        if len(rounds) == 1:
            stopping.set()
        progress.check()

    job = _job(kind, work)
    runner.work_off()
    job.refresh_from_db()
    assert (job.state, job.tries, job.beat_at) == ("queued", 0, None)
    assert runner.work_off() == 0
    stopping.clear()
    assert runner.work_off() == 1
    job.refresh_from_db()
    assert (job.state, job.tries, len(rounds)) == ("done", 1, 2)


def test_only_so_many_are_done_at_once(kind):
    _job(kind, lambda job, progress: None)
    services.start("test.work", "另一件", by=UserFactory())
    assert runner.claim(at_once=1) is not None
    assert runner.claim(at_once=1) is None
    assert runner.claim(at_once=2) is not None


def test_the_site_is_told_after_commit(kind, django_capture_on_commit_callbacks, monkeypatch):
    told = []
    monkeypatch.setitem(hints.wakers, tasks.work_off.name, lambda: told.append(1))
    monkeypatch.setitem(tasks.work_off.app.conf.changes, "task_always_eager", True)
    with django_capture_on_commit_callbacks(execute=True):
        _job(kind, lambda job, progress: None)
        assert told == []
    assert told == [1]
