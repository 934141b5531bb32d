"""An officer who belongs to either side of a contract reviews nothing of it, and reads no more than his side may."""

from __future__ import annotations

import pytest

from marketplace.contracts import selectors, services
from marketplace.contracts.models import registration as flow
from marketplace.workflow import MoveNotAllowed
from tests.contracts.factories import Scene
from tests.factories import MembershipFactory, UserFactory

pytestmark = pytest.mark.django_db

WORDS = "属于技术开发合同，技术交易额核定合理。"


def fresh(user):
    """The person as the next request loads him."""
    return type(user).objects.get(pk=user.pk)


@pytest.mark.parametrize("side", ["seller", "buyer"])
def test_an_officer_of_either_side_cannot_review(side):
    scene = Scene()
    registration = scene.submitted()
    MembershipFactory(user=scene.first, organization=getattr(scene, side))
    with pytest.raises(MoveNotAllowed, match="不能由您本人办理"):
        services.accept(registration, by=fresh(scene.first))
    assert registration not in selectors.needing(fresh(scene.first))


@pytest.mark.parametrize("side", ["seller", "buyer"])
def test_an_officer_of_either_side_cannot_recognise(side):
    scene = Scene()
    registration = scene.at_second()
    MembershipFactory(user=scene.second, organization=getattr(scene, side))
    with pytest.raises(MoveNotAllowed, match="不能由您本人办理"):
        services.recognise(registration, by=fresh(scene.second))
    registration.refresh_from_db()
    assert (registration.state, registration.registration_number) == ("second_review", None)


def test_without_the_rule_the_buyers_officer_accepts(monkeypatch):
    """The negative control: it is the rule that stops him, nothing else."""
    scene = Scene()
    registration = scene.submitted()
    MembershipFactory(user=scene.first, organization=scene.buyer)
    monkeypatch.setattr(flow, "is_concerned", lambda registration, user: False)
    assert services.accept(registration, by=fresh(scene.first)).state == "accepted"


@pytest.mark.parametrize("side", ["seller", "buyer"])
def test_what_an_expert_said_stays_with_those_who_review(client, side):
    scene = Scene()
    registration = scene.accepted(disputed=True)
    scene.opinion(registration)
    contract, desk = registration.contract.get_absolute_url(), f"/registrar/{registration.form_number}/"
    client.force_login(scene.second)
    page = client.get(desk).content.decode()
    assert WORDS in page
    assert "专家甲" in page
    torn = UserFactory()
    scene.office.officers.create(user=torn, second_review=True)
    MembershipFactory(user=torn, organization=getattr(scene, side))
    for person, address in (
        (torn, desk),
        (torn, contract),
        (scene.applicant, contract),
        (scene.buyer_person, contract),
    ):
        client.force_login(person)
        answer = client.get(address)
        assert answer.status_code == 200
        assert WORDS not in answer.content.decode()
        assert "专家甲" not in answer.content.decode()


def test_an_experts_paper_is_for_the_office_alone(client):
    scene = Scene()
    registration = scene.accepted(disputed=True)
    scene.opinion(registration)
    paper = registration.opinions.get().file
    url = f"/contracts/{registration.contract.number}/files/{paper.pk}/"
    for user, status in ((scene.applicant, 404), (scene.buyer_person, 404), (scene.second, 200)):
        client.force_login(user)
        answer = client.get(url)
        assert answer.status_code == status
        answer.getvalue()  # reads the paper to its end, which closes it
    client.force_login(scene.applicant)
    assert paper.name not in client.get(f"/contracts/{registration.contract.number}/").content.decode()


def test_a_match_computed_again_bears_no_later_day_than_the_deal_that_came_of_it():
    """It says that it was compared again; the trail runs backwards in time without a jump."""
    import datetime as dt
    from types import SimpleNamespace

    from django.utils import timezone

    from marketplace.contracts.selectors import _match_step

    met = timezone.now() - dt.timedelta(days=30)
    demand = SimpleNamespace(get_absolute_url=lambda: "/demands/XQ-2026-000000/")
    match = SimpleNamespace(
        reasons={}, rank_for_demand=1, demand=demand, computed_at=met, get_band_display=lambda: "强匹配"
    )
    deal = SimpleNamespace(created_at=met + dt.timedelta(days=1))
    assert _match_step(match, deal).on == timezone.localtime(met).date()
    match.computed_at = timezone.now()
    later = _match_step(match, deal)
    assert later.on is None
    assert "重新比对" in later.detail
