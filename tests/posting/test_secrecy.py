"""Nothing that carries a mark of secrecy is kept: no draft, no session, no log; ordinary words pass."""

from __future__ import annotations

import logging

import pytest
from django.contrib.sessions.models import Session
from django.urls import reverse
from wagtail.models import ModelLogEntry, Revision

from cms.models import ListingRecord
from cms.secrecy import find_mark
from tests.factories import DemandFactory, member
from tests.posting.scene import a_company, achievement_data, demand_data

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text", ["机密★10年", "绝密 ★", "密级：秘密", "密 级: 机密", "秘\u200b密★", "密级∶".replace("∶", "：") + "绝密"]
)
def test_a_mark_is_found(text):
    assert find_mark(["前文", text])


@pytest.mark.parametrize("text", ["技术秘密许可", "商业秘密保护", "本项目密级：不涉密", "★重点", "机密级服务器"])
def test_ordinary_words_are_no_marks(text):
    assert find_mark([text]) is None


FIELDS = ["title", "summary", "body", "problem", "keywords", "contact_name", "targets-0-name", "targets-0-present", "x"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("signed_in", [True, False])
def test_a_marked_text_in_any_field_is_refused_and_leaves_no_trace(client, caplog, field, signed_in):
    organization, user = a_company()
    if signed_in:
        client.force_login(user)
    marked = "代号丙的参数，机密★20年"
    with caplog.at_level(logging.DEBUG):
        answer = client.post(reverse("demand_new"), demand_data(organization, **{field: marked}))
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "线下报送" in text
    assert "代号丙" not in text
    assert not ListingRecord.objects.exists()
    assert not Revision.objects.exists()
    assert not ModelLogEntry.objects.filter(data__icontains="代号丙").exists()
    assert all("代号丙" not in str(row.get_decoded()) for row in Session.objects.all())
    assert "代号丙" not in caplog.text


def test_an_edit_with_a_mark_leaves_the_draft_as_it_was(client):
    demand = DemandFactory()
    client.force_login(member(demand.record.owner))
    before = Revision.objects.count()
    data = demand_data(body="密级：机密", version=demand.latest_revision_id)
    assert client.post(reverse("listing_edit", args=[demand.number]), data).status_code == 400
    assert Revision.objects.count() == before


def test_what_lay_in_the_session_is_forgotten_too(client):
    client.post(reverse("achievement_new"), achievement_data())
    assert "posting.achievement" in client.session
    client.post(reverse("achievement_new"), achievement_data(body="绝密★"))
    assert "posting.achievement" not in client.session


def test_a_marked_reason_for_withdrawing_is_not_kept(client):
    demand = DemandFactory(published=True)
    client.force_login(member(demand.record.owner))
    page = client.post(reverse("listing_withdraw", args=[demand.number]), {"reason": "属于机密★"})
    assert "机密★" not in page.content.decode()
    demand.refresh_from_db()
    assert demand.live
