"""What a public page shows of matches, what a card marks, and that nobody reads what is not his."""

import datetime as dt
import re

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client
from django.urls import reverse

from cms import publishing
from cms.models import Demand
from marketplace.deals import cards, due, selectors, services
from marketplace.deals.models import Deal, Inquiry, Match
from marketplace.deals.models.deals import DealQuerySet
from marketplace.notifications.models import Notice
from tests.factories import BrokerFactory, MandateFactory, OrganizationFactory, member

from . import factories
from .test_pages import matched  # noqa: F401

pytestmark = pytest.mark.django_db

NOBODY = AnonymousUser()


# Public matches


@pytest.mark.usefixtures("index")
def test_a_visitor_sees_matches_between_public_listings_without_acts(matched):  # noqa: F811
    found = selectors.public_matches(matched.need, NOBODY)
    (card,) = found.cards
    assert (card["title"], card["rank"], card["band"]) == (matched.achievement.title, 1, "strong")
    assert card["acts"] == []
    assert (found.total, found.comparison.compared_with) == (1, 6)
    assert "与 6 项成果比对" in found.basis
    assert [c["title"] for c in selectors.public_matches(matched.supply, NOBODY).cards] == [matched.demand.title]


@pytest.mark.usefixtures("index")
def test_a_restricted_or_withdrawn_side_is_in_no_public_match(matched):  # noqa: F811
    Demand.objects.filter(pk=matched.demand.pk).update(disclosure_level="L3")
    assert selectors.public_matches(matched.supply, NOBODY).cards == []
    assert selectors.matches_for(matched.supply, matched.seller).cards == []
    assert len(selectors.matches_for(matched.need, matched.buyer).cards) == 1


@pytest.mark.usefixtures("index")
def test_the_owner_of_the_other_side_may_ask_from_a_public_page(matched):  # noqa: F811
    (card,) = selectors.public_matches(matched.need, matched.seller).cards
    assert card["acts"][0]["href"].startswith(f"/deals/inquire/{matched.need.number}/?own={matched.supply.number}")


@pytest.mark.usefixtures("index")
def test_marks_point_at_phrases_that_stand_in_both_public_texts(matched):  # noqa: F811
    (card,) = selectors.public_matches(matched.need, NOBODY).cards
    for side, listing in (("left", matched.demand), ("right", matched.achievement)):
        text = card[side]["text"]
        assert card[side]["spans"]
        public = "\n".join(cards.public_parts(listing).values())
        for start, end in card[side]["spans"]:
            assert text[start:end] in public
    both = "\n".join(cards.public_parts(matched.demand).values())
    for phrase in Match.objects.get(demand=matched.need, supply=matched.supply).reasons["phrases"]:
        assert phrase["text"] in both.lower()


@pytest.mark.usefixtures("index")
def test_a_text_that_changed_or_closed_since_is_not_marked(matched):  # noqa: F811
    Demand.objects.filter(pk=matched.demand.pk).update(
        summary="现在写的是别的事情。", problem="也改了。", body="", title="改过"
    )
    (card,) = selectors.public_matches(matched.need, NOBODY).cards
    assert card["left"]["spans"] == []
    Demand.objects.filter(pk=matched.demand.pk).update(disclosure_level="L1", problem="秘而不宣的做法。")
    (card,) = selectors.public_matches(matched.need, NOBODY).cards
    assert "秘而不宣" not in card["left"]["text"]


def test_an_anonymous_owner_has_no_name_on_a_card():
    of = factories.sides(demand={"anonymous": True})
    match = Match.objects.create(
        demand=of.need, supply=of.supply, demand_version=1, supply_version=1, score=1, band="weak"
    )
    card = cards.card(match, side="achievement", acts=[])
    assert (card["owner"], card["owner_href"], card["verified"]) == ("匿名单位", "", False)


# Who may read


def test_control_without_visible_to_a_stranger_reads_a_deal(client, monkeypatch):
    """Negative control: `.visible_to` is what hides a deal, in the detail and in the list."""
    of = factories.sides()
    deal = factories.deal(of)
    stranger = member(OrganizationFactory())
    client.force_login(stranger)
    assert client.get(deal.get_absolute_url()).status_code == 404
    assert deal.title not in client.get(reverse("deals")).content.decode()
    monkeypatch.setattr(DealQuerySet, "visible_to", lambda self, user: self.all())
    assert client.get(deal.get_absolute_url()).status_code == 200
    assert deal.number in client.get(reverse("deals")).content.decode()


def test_the_receivers_broker_sees_what_came_in_while_his_mandate_lasts():
    of = factories.sides()
    row = factories.inquiry(of)
    broker = BrokerFactory()
    assert not Inquiry.objects.visible_to(broker.user).exists()
    MandateFactory(broker=broker, client=of.company, record=of.supply)
    assert not Inquiry.objects.visible_to(broker.user).exists()
    mandate = MandateFactory(broker=broker, client=of.company, record=of.need)
    assert Inquiry.objects.visible_to(broker.user).get() == row
    type(mandate).objects.filter(pk=mandate.pk).update(ends_on=mandate.starts_on, starts_on=mandate.starts_on)
    assert Inquiry.objects.visible_to(broker.user).exists()


# The clock


def test_an_inquiry_lapses_the_day_after_its_last_day(time_machine):
    time_machine.move_to(dt.datetime(2026, 11, 24, 2, tzinfo=dt.UTC), tick=False)
    of = factories.sides()
    row = factories.inquiry(of)
    assert row.respond_by == dt.date(2026, 12, 8)
    time_machine.move_to(dt.datetime(2026, 12, 8, 15, 59, tzinfo=dt.UTC), tick=False)
    assert due.run()["lapsed"] == 0
    time_machine.move_to(dt.datetime(2026, 12, 8, 16, 1, tzinfo=dt.UTC), tick=False)
    assert due.run()["lapsed"] == 1
    assert due.run()["lapsed"] == 0
    row.refresh_from_db()
    assert row.state == "lapsed"
    assert Notice.objects.filter(recipient=of.seller, kind="deals/notices/lapsed").count() == 1
    assert factories.inquiry(of).state == "sent"


def test_a_day_past_the_known_calendar_is_marked(time_machine):
    time_machine.move_to(dt.datetime(2026, 12, 25, 2, tzinfo=dt.UTC), tick=False)
    row = factories.inquiry(factories.sides())
    assert (row.respond_by, row.is_respond_by_provisional) == (dt.date(2027, 1, 8), True)


# Forms


def test_every_form_carries_its_token_and_works_with_the_check_on():
    of = factories.sides()
    deal = factories.deal(of)
    factories.offer(of, deal)
    broker = BrokerFactory()
    MandateFactory(client=of.company, broker=broker)
    inquired = factories.sides()
    inquired.company, inquired.buyer, inquired.demand = of.company, of.buyer, of.demand
    row = factories.inquiry(inquired)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(of.buyer)
    for url in (deal.get_absolute_url(), reverse("inquiry", args=[row.pk]), reverse("mandates")):
        page = strict.get(url).content.decode()
        main = page[page.index("<main") : page.index("</main>")]
        forms = re.findall(r"<form[^>]*method=\"post\".*?</form>", main, re.S)
        assert forms
        assert all("csrfmiddlewaretoken" in form for form in forms)
    token = strict.cookies["csrftoken"].value
    url = reverse("inquiry_act", args=[row.pk, "accept"])
    assert strict.post(url, {"version": 1}).status_code == 403
    assert strict.post(url, {"version": 1, "csrfmiddlewaretoken": token}).status_code == 302
    assert Deal.objects.count() == 2


def test_withdrawing_a_listing_leaves_its_deal_standing(client):
    of = factories.sides()
    deal = factories.deal(of)
    publishing.withdraw(of.demand, by=of.buyer, on_behalf_of=of.company, reason="已有对接")
    client.force_login(of.seller)
    page = client.get(deal.get_absolute_url())
    assert page.status_code == 200
    assert of.demand.title in page.content.decode()
    services.accept_offer(factories.offer(of, Deal.objects.get(pk=deal.pk)), by=of.buyer)
    assert Deal.objects.get(pk=deal.pk).state == "terms"
