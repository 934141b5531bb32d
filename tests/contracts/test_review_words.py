"""What the review page tells a registrar: the next act, everything that lacks, nothing that is over."""

from __future__ import annotations

import pytest

from marketplace.contracts.models import ReviewMark
from tests.contracts.factories import Scene

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_before_acceptance_the_dock_says_what_acceptance_begins(client, scene):
    registration = scene.submitted()
    client.force_login(scene.first)
    page = client.get(f"/registrar/{registration.form_number}/")
    assert page.context["dock"].text == "受理以后开始计算办理期限，再逐项审查。"


def test_every_return_without_a_reason_is_named_at_once(client, scene):
    registration = scene.accepted()
    client.force_login(scene.first)
    data = {
        "act": "save",
        "version": registration.version,
        "verdict-payment": "fail",
        "verdict-summary": "fail",
        "reason-summary": " ",
    }
    page = client.post(f"/registrar/{registration.form_number}/", data)
    assert page.status_code == 422
    assert "退回“支付方式”“技术内容摘要”请写明理由" in page.content.decode()
    assert not ReviewMark.objects.exists()


def test_an_empty_opinion_is_asked_for_by_name(client, scene):
    registration = scene.accepted()
    client.force_login(scene.first)
    url = f"/registrar/{registration.form_number}/"
    client.post(url, {"act": "escalate", "version": registration.version, "note": "类别有争议"})
    registration.refresh_from_db()
    page = client.post(url, {"act": "conclude", "version": registration.version})
    assert page.status_code == 422
    text = page.content.decode()
    assert "请填写专家姓名" in text
    assert "请填写意见书" in text


def test_what_is_decided_no_longer_speaks_of_second_review(client, scene):
    registration = scene.recognised()
    client.force_login(scene.second)
    text = client.get(f"/registrar/{registration.form_number}/").content.decode()
    assert "复审须由另一名登记员办理" not in text


def test_a_stale_review_names_no_versions_where_it_shows_none(client, scene):
    registration = scene.accepted()
    client.force_login(scene.first)
    data = {"act": "save", "version": registration.version - 1, "verdict-payment": "pass"}
    page = client.post(f"/registrar/{registration.form_number}/", data)
    assert page.status_code == 409
    assert "看过现在的状态再办理" in page.content.decode()
    assert "对照下面两个版本" not in page.content.decode()
