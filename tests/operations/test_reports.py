"""Anyone may say what is wrong with a page; moderators answer, once."""

from __future__ import annotations

import pytest
from django.core.cache import cache
from django.urls import reverse

from marketplace.notifications.models import Notice
from marketplace.operations import selectors, services
from marketplace.operations.models import Report
from marketplace.workflow import Conflict, MoveNotAllowed, history
from tests.factories import DemandFactory, UserFactory

pytestmark = pytest.mark.django_db

TEXT = "标题里的单位写错了，应为毫克每升。"


@pytest.fixture(autouse=True)
def fresh_limits():
    cache.clear()
    yield
    cache.clear()


def _post(client, **changes):
    return client.post(reverse("report_new"), {"about": "", "kind": "error", "text": TEXT, **changes})


def test_a_visitor_reports_a_public_listing_and_sees_what_was_kept(client):
    demand = DemandFactory(published=True)
    number = demand.record.number
    assert demand.title in client.get(reverse("report_new"), {"about": number}).content.decode()
    response = client.post(reverse("report_new"), {"about": number, "kind": "error", "text": TEXT}, follow=True)
    assert TEXT in response.content.decode()
    kept = Report.objects.get()
    assert (kept.about, kept.about_title, kept.by, kept.state) == (number, demand.title, None, "open")


def test_a_report_never_tells_the_title_of_what_one_may_not_see(client):
    draft = DemandFactory()
    number = draft.record.number
    assert draft.title not in client.get(reverse("report_new"), {"about": number}).content.decode()
    _post(client, about=number)
    assert Report.objects.get().about_title == ""


def test_too_short_a_text_is_refused_and_stays_in_the_form(client):
    response = _post(client, text="不对")
    assert response.status_code == 200
    assert "不对</textarea>" in response.content.decode()
    assert not Report.objects.exists()


def test_a_double_submit_makes_one_row(client):
    _post(client)
    _post(client)
    assert Report.objects.count() == 1


def test_one_address_cannot_bury_the_moderators(client):
    for n in range(12):
        response = _post(client, text=f"{TEXT}{n}")
    assert response.status_code == 429
    assert Report.objects.count() == 10


def test_without_the_limit_one_address_buries_them(client, monkeypatch):
    """Negative control of the limit above."""
    monkeypatch.setattr("marketplace.limits.is_too_often", lambda *args, **kwargs: False)
    for n in range(12):
        _post(client, text=f"{TEXT}{n}")
    assert Report.objects.count() == 12


def test_moderators_alone_read_reports(client):
    report = services.report(about="", kind="error", text=TEXT)
    pages = [reverse("reports"), reverse("report", args=[report.pk])]
    assert [client.get(page).status_code for page in pages] == [302, 302]
    client.force_login(UserFactory(editor=True))
    assert [client.get(page).status_code for page in pages] == [404, 404]
    client.force_login(UserFactory(moderator=True))
    assert [client.get(page).status_code for page in pages] == [200, 200]


def test_a_moderator_answers_and_the_reporter_is_told(client):
    reader, moderator = UserFactory(), UserFactory(moderator=True)
    report = services.report(about="", kind="error", text=TEXT, by=reader)
    client.force_login(moderator)
    page = reverse("report", args=[report.pk])
    response = client.post(page, {"version": 1, "answer": "已改为 mg/L。", "act": "handle"})
    assert response.status_code == 302
    report.refresh_from_db()
    assert (report.state, report.answer, report.handled_by) == ("handled", "已改为 mg/L。", moderator)
    assert "已改为 mg/L。" in Notice.objects.get(recipient=reader).text
    assert [entry.action for entry in history(report)] == ["report.handle", "report.new"]


def test_the_second_moderator_gets_409_with_both_answers(client):
    report = services.report(about="", kind="error", text=TEXT)
    services.handle(report, by=UserFactory(moderator=True), answer="先到的处理")
    client.force_login(UserFactory(moderator=True))
    page = reverse("report", args=[report.pk])
    response = client.post(page, {"version": 1, "answer": "后到的处理", "act": "dismiss"})
    assert response.status_code == 409
    assert "先到的处理" in response.content.decode()
    assert "后到的处理" in response.content.decode()
    report.refresh_from_db()
    assert report.state == "handled"


def test_a_report_is_closed_by_a_moderator_with_words_and_from_its_present_version():
    report = services.report(about="", kind="error", text=TEXT)
    stale = Report.objects.get()
    with pytest.raises(MoveNotAllowed):
        services.handle(report, by=UserFactory(), answer="不是审核员")
    with pytest.raises(MoveNotAllowed):
        services.handle(report, by=UserFactory(moderator=True), answer="  ")
    services.dismiss(report, by=UserFactory(moderator=True), answer="内容没有错")
    with pytest.raises(Conflict):
        services.handle(stale, by=UserFactory(moderator=True), answer="太迟")
    assert Report.objects.get().answer == "内容没有错"


def test_open_reports_wait_for_moderators_alone(client):
    kept = services.report(about="", kind="illegal", text=TEXT)
    waiting = selectors.waiting_for(UserFactory(moderator=True), None)
    assert [(w.group, w.detail) for w in waiting] == [("纠错与举报", "违法或不当信息")]
    assert selectors.waiting_for(UserFactory(), None) == []
    address = reverse("report", args=[kept.pk])
    for person, waits in ((UserFactory(moderator=True), True), (UserFactory(), False)):
        client.force_login(person)
        assert (address in client.get("/desk/").content.decode()) is waits
