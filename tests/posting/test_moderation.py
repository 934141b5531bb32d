"""A moderator approves or returns with reasons; nobody decides about his own."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import TaskState

from cms.models import Demand, ModerationTask
from marketplace.notifications.models import Notice
from marketplace.posting import services
from marketplace.posting.selectors import waiting_for
from marketplace.workflow import Conflict, MoveNotAllowed
from tests.factories import AchievementFactory, DemandFactory, MembershipFactory, UserFactory, member

pytestmark = pytest.mark.django_db


@pytest.fixture
def submitted():
    demand = DemandFactory(cooperation_modes=["M5"])
    user = member(demand.record.owner)
    services.submit(demand, by=user, on_behalf_of=demand.record.owner)
    return demand


def state_of_task(demand) -> TaskState:
    return demand.current_workflow_state.current_task_state


def test_the_queue_and_the_page_lead_to_a_publication(client, submitted):
    moderator = UserFactory(moderator=True)
    client.force_login(moderator)
    page = client.get(reverse("posting_moderation")).content.decode()
    assert submitted.number in page
    url = reverse("posting_review", args=[state_of_task(submitted).pk])
    page = client.get(url).content.decode()
    assert "没有发现国家秘密标志" in page
    assert "要解决的问题" in page
    assert "万元" in page
    assert "（元）" not in page
    assert client.post(url, {"act": "approve"}).url == reverse("posting_moderation")
    submitted.refresh_from_db()
    assert submitted.live
    assert Notice.objects.filter(kind="posting/notices/published").exists()


def test_sending_back_needs_a_reason_and_tells_the_owner(client, submitted):
    client.force_login(UserFactory(moderator=True))
    url = reverse("posting_review", args=[state_of_task(submitted).pk])
    assert "请写明退回的原因" in client.post(url, {"act": "return", "note": ""}).content.decode()
    client.post(url, {"act": "return", "note": "预算和指标对不上，请核对。"})
    notice = Notice.objects.get(kind="posting/notices/returned")
    assert "预算和指标对不上" in notice.text
    owner_user = notice.recipient
    titles = [w.title for w in waiting_for(owner_user, submitted.record.owner)]
    assert any("再次提交" in title for title in titles)


def test_a_decision_sent_twice_is_one(client, submitted):
    client.force_login(UserFactory(moderator=True))
    url = reverse("posting_review", args=[state_of_task(submitted).pk])
    client.post(url, {"act": "approve"})
    assert client.post(url, {"act": "approve"}).status_code == 302
    assert Notice.objects.filter(kind="posting/notices/published").count() == 1


def test_members_do_not_see_the_queue(client, submitted):
    client.force_login(member(submitted.record.owner))
    assert client.get(reverse("posting_moderation")).status_code in (302, 403)


def own_moderator(demand):
    moderator = UserFactory(moderator=True)
    MembershipFactory(user=moderator, organization=demand.record.owner)
    return type(moderator).objects.get(pk=moderator.pk)


def test_nobody_approves_what_his_organisation_submitted(client, submitted):
    moderator = own_moderator(submitted)
    with pytest.raises(MoveNotAllowed):
        services.approve(submitted, by=moderator)
    client.force_login(moderator)
    client.post(reverse("posting_review", args=[state_of_task(submitted).pk]), {"act": "approve"})
    submitted.refresh_from_db()
    assert not submitted.live


def action_url(listing, task_state) -> str:
    viewset = type(listing).snippet_viewset
    return reverse(viewset.get_url_name("workflow_action"), args=[listing.pk, "approve", task_state.pk])


def test_another_objects_address_does_not_approve_ones_own(client, submitted):
    """Wagtail's action address does not tie task state to object: the task itself refuses."""
    moderator = own_moderator(submitted)
    other = DemandFactory(cooperation_modes=["M5"])
    services.submit(other, by=member(other.record.owner), on_behalf_of=other.record.owner)
    client.force_login(moderator)
    answer = client.post(action_url(other, state_of_task(submitted)), {"comment": ""})
    submitted.refresh_from_db()
    assert not submitted.live
    assert answer.status_code in (302, 403)


def test_without_the_tasks_refusal_that_address_would_approve(client, submitted, monkeypatch):
    """Negative control of "moderation of one's own"."""
    from wagtail.models import AbstractGroupApprovalTask

    monkeypatch.setattr(ModerationTask, "on_action", AbstractGroupApprovalTask.on_action)
    moderator = own_moderator(submitted)
    other = DemandFactory(cooperation_modes=["M5"])
    services.submit(other, by=member(other.record.owner), on_behalf_of=other.record.owner)
    client.force_login(moderator)
    client.post(action_url(other, state_of_task(submitted)), {"comment": ""})
    submitted.refresh_from_db()
    assert submitted.live


def test_a_moderator_approves_in_wagtails_editor(client, submitted):
    client.force_login(UserFactory(moderator=True))
    edit = reverse(Demand.snippet_viewset.get_url_name("edit"), args=[submitted.pk])
    page = client.get(edit)
    assert page.status_code == 200
    assert "编号" in page.content.decode()
    client.post(action_url(submitted, state_of_task(submitted)), {"comment": ""})
    submitted.refresh_from_db()
    assert submitted.live


def test_what_was_changed_after_submission_is_not_published_unseen(submitted):
    user = member(submitted.record.owner)
    newer = submitted.get_latest_revision_as_object()
    newer.title = "送审之后悄悄改的"
    newer.save_revision(user=user)
    with pytest.raises(Conflict, match="送审之后内容又改过"):
        services.approve(submitted, by=UserFactory(moderator=True))
    assert not Demand.objects.get(pk=submitted.pk).live


def test_an_incomplete_listing_is_not_submitted():
    achievement = AchievementFactory(summary="太短")
    with pytest.raises(services.Incomplete) as caught:
        services.submit(achievement, by=member(achievement.record.owner), on_behalf_of=achievement.record.owner)
    assert {lack.field for lack in caught.value.lacks} >= {"summary", "transfer_modes"}


def test_only_the_owner_submits():
    demand = DemandFactory(cooperation_modes=["M5"])
    with pytest.raises(MoveNotAllowed):
        services.submit(demand, by=member(DemandFactory().record.owner), on_behalf_of=demand.record.owner)


def test_the_moderators_desk_shows_the_queue_as_one_row(submitted):
    rows = waiting_for(UserFactory(moderator=True), None)
    assert [row.url for row in rows] == [reverse("posting_moderation")]


def test_the_queue_costs_the_same_at_any_number_of_rows(client):
    client.force_login(UserFactory(moderator=True))

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(reverse("posting_moderation")).status_code == 200
        return len(captured)

    def submit(number: int) -> None:
        for _n in range(number):
            demand = DemandFactory(cooperation_modes=["M5"])
            services.submit(demand, by=member(demand.record.owner), on_behalf_of=demand.record.owner)

    submit(2)
    queries()
    few = queries()
    submit(6)
    assert queries() <= few
    assert few <= 25
