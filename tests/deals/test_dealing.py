"""A deal from the first talk to its end: offers, answers, brokers, losing, and what contracts says."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from cms.models import AccessGrant, Availability
from marketplace.deals import selectors, services
from marketplace.deals.models import Deal, Offer
from marketplace.notifications.models import Notice
from marketplace.workflow import MoveNotAllowed, history
from tests.factories import BrokerFactory, DemandFactory, MandateFactory, OrganizationFactory, UserFactory, member

from . import factories

pytestmark = pytest.mark.django_db


def fresh(deal):
    return Deal.objects.get(pk=deal.pk)


# Offers


def test_an_offer_is_accepted_by_the_other_side_and_the_terms_stand():
    of = factories.sides()
    deal = factories.deal(of)
    offer = factories.offer(of, deal)
    assert fresh(deal).next_step == f"等待{of.company.label}答复报价"
    services.accept_offer(offer, by=of.buyer)
    deal = fresh(deal)
    assert (deal.state, deal.next_step) == ("terms", "起草技术合同")
    offer.refresh_from_db()
    assert (offer.state, offer.answered_by) == ("accepted", of.buyer)
    assert [row.action for row in history(deal)] == ["deal.agree", "deal.open"]
    assert Notice.objects.filter(recipient=of.seller, kind="deals/notices/offer_accepted").count() == 1


def test_a_new_offer_replaces_the_open_one_of_either_side():
    of = factories.sides()
    deal = factories.deal(of)
    first = factories.offer(of, deal)
    counter = services.offer(
        fresh(deal), by=of.buyer, on_behalf_of=of.company, **factories.terms(amount_total=Decimal("1600000.00"))
    )
    first.refresh_from_db()
    assert (first.state, counter.state) == ("replaced", "made")
    with pytest.raises(MoveNotAllowed):
        services.accept_offer(first, by=of.buyer)
    services.accept_offer(counter, by=of.seller)
    assert Offer.objects.filter(deal=deal, state="accepted").get() == counter


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"amount_tech": Decimal("1800000.01")}, "amount_tech"),
        ({"amount_total": Decimal("0")}, "amount_total"),
        ({"amount_tech": Decimal("0")}, "amount_tech"),
        ({"contract_type_code": "ZZ"}, "contract_type_code"),
        ({"payment_code": "P9"}, "payment_code"),
        ({"terms": "  "}, "terms"),
        ({"ends_on": dt.date(2020, 1, 1)}, "ends_on"),
    ],
)
def test_wrong_offers_are_refused_by_field_and_change_nothing(wrong, field):
    of = factories.sides()
    deal = factories.deal(of)
    version = fresh(deal).version
    with pytest.raises(ValidationError) as refused:
        factories.offer(of, deal, **wrong)
    assert field in refused.value.message_dict
    assert Offer.objects.count() == 0
    assert fresh(deal).version == version


def test_the_database_refuses_a_technology_amount_above_the_total():
    of = factories.sides()
    offer = factories.offer(of, factories.deal(of))
    with pytest.raises(IntegrityError), transaction.atomic():
        Offer.objects.filter(pk=offer.pk).update(amount_tech=offer.amount_total + 1)


def test_nobody_accepts_his_own_sides_offer():
    of = factories.sides()
    deal = factories.deal(of)
    offer = factories.offer(of, deal)
    for person in (of.seller, member(of.university), member(OrganizationFactory())):
        with pytest.raises((PermissionDenied, MoveNotAllowed)):
            services.accept_offer(offer, by=person)
    with pytest.raises(MoveNotAllowed):
        services.accept_offer(offer, by=of.seller, on_behalf_of=of.university)
    assert fresh(deal).state == "contacted"


def test_a_refused_offer_says_why_and_the_talks_go_on():
    of = factories.sides()
    deal = factories.deal(of)
    offer = factories.offer(of, deal)
    with pytest.raises(ValidationError):
        services.decline_offer(offer, by=of.buyer, note=" ")
    services.decline_offer(offer, by=of.buyer, note="首付比例太高")
    deal = fresh(deal)
    assert (deal.state, deal.next_step) == ("contacted", "修改报价")
    assert factories.offer(of, deal).state == "made"


def test_no_offer_after_the_terms_stand():
    of = factories.sides()
    deal = factories.agreed(of)
    with pytest.raises(MoveNotAllowed, match="条件谈定"):
        factories.offer(of, fresh(deal))


# Losing


def test_losing_frees_the_listings_and_ends_reading_rights():
    of = factories.sides()
    deal = factories.deal(of)
    with pytest.raises(ValidationError):
        services.lose(deal, by=of.buyer, on_behalf_of=of.company, reason="other")
    services.lose(deal, by=of.buyer, on_behalf_of=of.company, reason="price", note="差得太多")
    deal = fresh(deal)
    assert (deal.state, deal.lost_reason, deal.lost_note, deal.next_step) == ("lost", "price", "差得太多", "")
    for record in (of.need, of.supply):
        record.refresh_from_db()
        assert record.availability == Availability.OPEN
    tomorrow = timezone.localdate() + dt.timedelta(days=1)
    assert AccessGrant.objects.active().count() == 2
    assert AccessGrant.objects.active(tomorrow).count() == 0


def test_a_listing_in_other_talks_stays_under_talks():
    of, more = factories.sides(), factories.sides()
    first = factories.deal(of)
    second = services.accept(
        services.inquire(of.supply, by=more.buyer, on_behalf_of=more.company, own=more.need, message="也想试用填料。"),
        by=of.seller,
    )
    services.lose(first, by=of.seller, on_behalf_of=of.university, reason="timing")
    of.supply.refresh_from_db()
    assert (of.supply.availability, of.supply.availability_reference) == (Availability.NEGOTIATING, second.number)
    of.need.refresh_from_db()
    assert of.need.availability == Availability.OPEN


def test_a_contracted_listing_is_not_freed_by_a_lost_deal():
    of = factories.sides()
    deal = factories.deal(of)
    type(of.supply).objects.filter(pk=of.supply.pk).update(availability=Availability.TRANSFERRED)
    services.lose(deal, by=of.buyer, on_behalf_of=of.company, reason="taken")
    of.supply.refresh_from_db()
    assert of.supply.availability == Availability.TRANSFERRED


@pytest.mark.parametrize("state", ["registered", "won", "lost"])
def test_what_is_registered_or_ended_cannot_be_lost(state):
    of = factories.sides()
    deal = factories.agreed(of)
    if state == "lost":
        services.lose(deal, by=of.buyer, on_behalf_of=of.company, reason="price")
    else:
        services.mark_registered(deal, by=of.seller)
    if state == "won":
        services.win(deal, by=of.buyer, on_behalf_of=of.company)
    with pytest.raises(MoveNotAllowed):
        services.lose(fresh(deal), by=of.buyer, on_behalf_of=of.company, reason="price")


# What contracts says


def test_signing_registering_and_winning_may_be_said_twice():
    of = factories.sides()
    deal = factories.agreed(of)
    officer = UserFactory()
    for _again in range(2):
        services.mark_signed(fresh(deal), by=of.seller, reference="HT-2026-000001")
    assert fresh(deal).state == "signed"
    for _again in range(2):
        services.mark_registered(fresh(deal), by=officer, reference="HT-2026-000001")
    assert fresh(deal).state == "registered"
    for _again in range(2):
        services.win(fresh(deal), by=officer)
    rows = list(history(fresh(deal)))
    assert [row.action for row in rows[:3]] == ["deal.win", "deal.register", "deal.sign"]
    assert rows[2].data["through"]["name"] == str(of.seller)
    assert rows[2].data["reference"] == "HT-2026-000001"


def test_registering_walks_over_signing():
    of = factories.sides()
    deal = factories.agreed(of)
    services.mark_registered(deal, by=of.seller)
    assert [row.action for row in history(deal)][:2] == ["deal.register", "deal.sign"]


def test_a_deal_without_accepted_offer_cannot_be_signed():
    deal = factories.deal(factories.sides())
    with pytest.raises(MoveNotAllowed):
        services.mark_signed(deal, by=None)


@pytest.mark.parametrize("step", ["sign", "register"])
def test_no_person_signs_or_registers_by_hand(step):
    of = factories.sides()
    deal = factories.agreed(of)
    if step == "register":
        services.mark_signed(deal, by=of.seller)
    assert step not in {move.name for move in deal.open_moves(of.buyer)}
    with pytest.raises(MoveNotAllowed):
        deal.move(step, by=of.buyer)


def test_the_database_refuses_a_move_outside_the_flow():
    deal = factories.deal(factories.sides())
    with pytest.raises(IntegrityError), transaction.atomic():
        Deal.objects.filter(pk=deal.pk).update(state="registered")


# Brokers


def brokered(**mandate):
    of = factories.sides()
    row = MandateFactory(client=of.university, record=of.supply, broker=BrokerFactory(), **mandate)
    return of, row, row.broker.user


def test_a_broker_inquires_and_offers_for_his_client_and_keeps_the_deal():
    of, mandate, broker = brokered()
    row = factories.inquiry(of, by=broker, mandate=mandate)
    deal = services.accept(row, by=of.buyer)
    assert (row.mandate, deal.mandate, deal.second_mandate) == (mandate, mandate, None)
    offer = services.offer(deal, by=broker, on_behalf_of=of.university, **factories.terms())
    assert offer.by == broker
    assert next(iter(history(offer))).data["on_behalf_of"]["name"] == of.university.name


def test_a_broker_never_accepts_an_offer_nor_ends_the_talks():
    of, mandate, broker = brokered()
    deal = services.accept(factories.inquiry(of, by=broker, mandate=mandate), by=of.buyer)
    offer = services.offer(deal, by=of.buyer, on_behalf_of=of.company, **factories.terms())
    with pytest.raises(PermissionDenied):
        services.accept_offer(offer, by=broker)
    with pytest.raises(PermissionDenied):
        services.lose(fresh(deal), by=broker, on_behalf_of=of.university, reason="price")
    assert fresh(deal).state == "contacted"


@pytest.mark.parametrize("end", ["ended", "offered", "revoked", "broker_struck_off", "other_listing"])
def test_without_a_mandate_in_force_a_broker_does_nothing(end):
    traits = {end: True} if end in ("ended", "offered") else {}
    of, mandate, broker = brokered(**traits)
    if end == "revoked":
        mandate.revoked_on = timezone.localdate()
        mandate.save()
    if end == "broker_struck_off":
        type(mandate.broker).objects.update(is_active=False)
        mandate.broker.refresh_from_db()
    if end == "other_listing":
        mandate.record = factories.sides().supply
        mandate.save()
    with pytest.raises(MoveNotAllowed):
        factories.inquiry(of, by=broker, mandate=mandate)
    assert of.need.inquiries.count() == 0


def test_a_mandate_of_somebody_else_is_no_use():
    of, mandate, _broker = brokered()
    with pytest.raises(PermissionDenied):
        factories.inquiry(of, by=BrokerFactory().user, mandate=mandate)


def across_the_end(time_machine):
    """The evening of the mandate's last day and the next morning, in Asia/Shanghai."""
    time_machine.move_to(dt.datetime(2026, 11, 20, 2, tzinfo=dt.UTC), tick=False)
    of, mandate, broker = brokered(starts_on=dt.date(2026, 11, 1), ends_on=dt.date(2026, 11, 24))
    deal = services.accept(factories.inquiry(of, by=broker, mandate=mandate), by=of.buyer)
    time_machine.move_to(dt.datetime(2026, 11, 24, 15, 59, tzinfo=dt.UTC), tick=False)
    services.offer(fresh(deal), by=broker, on_behalf_of=of.university, **factories.terms())
    time_machine.move_to(dt.datetime(2026, 11, 24, 16, 1, tzinfo=dt.UTC), tick=False)
    return of, deal, broker


def test_a_mandate_ends_at_midnight_of_its_last_day_and_the_deal_stays_his(time_machine):
    of, deal, broker = across_the_end(time_machine)
    with pytest.raises(MoveNotAllowed, match="有效期"):
        services.offer(fresh(deal), by=broker, on_behalf_of=of.university, **factories.terms())
    with pytest.raises(MoveNotAllowed):
        services.plan_next(fresh(deal), by=broker, on_behalf_of=of.university, next_step="再谈一次")
    assert Offer.objects.count() == 1
    assert fresh(deal).mandates[0].broker.user == broker
    assert Deal.objects.visible_to(broker).filter(pk=deal.pk).exists()


def test_control_without_the_dated_check_the_broker_goes_on(time_machine, monkeypatch):
    """Negative control: the date is what stops him, nothing else."""
    of, deal, broker = across_the_end(time_machine)
    monkeypatch.setattr("marketplace.agencies.models.Mandate.is_in_force", lambda self, on=None: True)
    services.offer(fresh(deal), by=broker, on_behalf_of=of.university, **factories.terms())
    assert Offer.objects.count() == 2


def test_each_sides_broker_is_attached_though_the_parties_act_alone():
    of, mandate, broker = brokered()
    buyers = MandateFactory(client=of.company, record=None, broker=BrokerFactory())
    deal = factories.deal(of)
    assert set(deal.mandates) == {mandate, buyers}
    assert deal.mandate == buyers
    for person in (broker, buyers.broker.user):
        assert Deal.objects.visible_to(person).filter(pk=deal.pk).exists()
    entry = list(history(deal))[-1]
    assert set(entry.data["brokers"]) == {str(mandate.broker), str(buyers.broker)}


def test_a_mandate_that_names_the_listing_counts_before_a_general_one():
    of, mandate, _broker = brokered(accepted_at=timezone.now())
    MandateFactory(client=of.university, record=None, accepted_at=timezone.now() - dt.timedelta(days=9))
    assert factories.deal(of).mandates == [mandate]


@pytest.mark.parametrize("trait", ["ended", "offered"])
def test_a_mandate_that_is_not_in_force_is_not_attached(trait):
    of, _mandate, _broker = brokered(**{trait: True})
    assert factories.deal(of).mandates == []


# Who waits


def test_what_waits_is_said_to_those_who_can_do_it():
    of = factories.sides()
    row = factories.inquiry(of)
    (waits,) = selectors.waiting_for(of.buyer, of.company)
    assert waits.title == f"答复对接申请：{of.university.label}"
    assert (waits.url, waits.due) == (f"/deals/inquiries/{row.pk}/", row.respond_by)
    assert selectors.waiting_for(of.seller, of.university) == []
    deal = services.accept(row, by=of.buyer)
    factories.offer(of, deal)
    assert [w.title for w in selectors.waiting_for(of.buyer, of.company)] == [f"答复报价：{of.university.label}"]
    services.accept_offer(Offer.objects.get(), by=of.buyer)
    assert [w.title for w in selectors.waiting_for(of.seller, of.university)] == ["起草技术合同"]


def test_amounts_of_many_deals_are_added_to_the_last_fen():
    """SQLite would add decimals as floats: three of these lose a 分 then."""
    of = factories.sides()
    for _n in range(3):
        more = factories.sides()
        more.company, more.buyer = of.company, of.buyer
        more.demand = DemandFactory(owner=of.company, published=True)
        factories.offer(more, factories.deal(more), amount_total=Decimal("70000000000000.33"))
    columns = {c.state: c for c in selectors.columns(of.buyer)}
    assert (columns["contacted"].count, columns["contacted"].total) == (3, Decimal("210000000000000.99"))


def test_columns_count_and_sum_each_state():
    of = factories.sides()
    factories.agreed(of)
    columns = {c.state: c for c in selectors.columns(of.buyer)}
    assert (columns["terms"].count, columns["terms"].total) == (1, Decimal("1800000.00"))
    assert [c.count for c in columns.values()] == [0, 1, 0, 0, 0, 0]
    assert all(c.count == 0 for c in selectors.columns(member(OrganizationFactory())))
