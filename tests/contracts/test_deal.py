"""A contract from an agreed deal: what is copied, who applies, what registering does to deal, listings and broker."""

from __future__ import annotations

import datetime as dt

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from cms import publishing
from marketplace.contracts import items, selectors, services
from marketplace.contracts.models import Contract, Registration
from marketplace.deals import services as deals
from marketplace.deals.models import Deal
from marketplace.notifications.models import Notice
from marketplace.workflow import MoveNotAllowed
from tests.contracts.factories import Scene, pdf
from tests.deals import factories as market
from tests.factories import MandateFactory, UserFactory, patent

pytestmark = pytest.mark.django_db


class Agreed:
    """An office and a deal whose offer was accepted; `registered` walks it to its number."""

    def __init__(self, kind: str = "TD1", *, broker: bool = False, office: Scene | None = None, **fields) -> None:
        self.office = office or Scene()
        self.of = market.sides(achievement={"patents": [patent()]})
        self.mandate = MandateFactory(client=self.of.company) if broker else None
        opened = market.deal(self.of)
        if self.mandate:
            Deal.objects.filter(pk=opened.pk).update(mandate=self.mandate)
            opened = Deal.objects.get(pk=opened.pk)
        offer = market.offer(self.of, opened, contract_type_code=kind)
        self.deal = deals.accept_offer(offer, by=self.of.buyer)
        self.by, self.org = self.of.seller, self.of.university
        self.fields = fields

    def draft(self) -> Contract:
        return services.draft(self.deal, by=self.by, on_behalf_of=self.org)

    def submitted(self) -> Registration:
        contract = self.draft()
        scene, today = self.office, timezone.localdate()
        contract = services.fill(
            contract,
            by=self.by,
            on_behalf_of=self.org,
            fields={
                "signed_on": today,
                "effective_on": today,
                "plan_source_id": "9",
                "ip_type_id": "K1",
                "social_objective_id": "01",
                "served_industry_id": "26",
                "summary": "研制改性铝基除氟填料，完成开发并许可、转让、服务，交付工艺包。",
                "novelty_points": "填料可再生 18 次",
                "responsible": "负责人乙",
                "is_declared_signed": True,
                **self.fields,
            },
            sellers=[scene.party(self.of.university, "seller")],
            buyers=[scene.party(self.of.company, "buyer")],
            deductions=[{"kind": "D1", "amount": contract.amount_total - contract.amount_tech, "clause": "附件二"}],
        )
        services.attach(contract, pdf(self.deal.number), kind="contract", by=self.by, on_behalf_of=self.org)
        return services.submit(contract.registration, by=self.by, on_behalf_of=self.org)

    def registered(self) -> Registration:
        registration = services.accept(self.submitted(), by=self.office.first)
        marks = {i.key: ("pass", "") for i in items.of(services.loaded(registration.contract_id))}
        services.mark(registration, by=self.office.first, marks=marks)
        services.pass_first(registration, by=self.office.first, warning_answer="已核对")
        return services.recognise(registration, by=self.office.second)


def test_parties_terms_and_amounts_are_copied():
    agreed = Agreed()
    contract = agreed.draft()
    assert (contract.amount_total, contract.amount_tech) == (1800000, 1500000)
    assert (contract.contract_type_id, contract.payment_method_id, contract.technology_field_id) == (
        "TD1",
        "P1",
        "0701",
    )
    assert (contract.lead_seller.name, contract.lead_buyer.name) == (agreed.of.university.name, agreed.of.company.name)
    assert contract.lead_seller.nature_id == "022"
    assert contract.lead_seller.contact_name == "联系人甲"
    assert [item.number for item in contract.ip_items.all()] == ["201710601862.3"]
    assert contract.seller_is_state_institution


def test_a_later_rename_does_not_change_what_was_copied():
    agreed = Agreed()
    contract = agreed.draft()
    before = contract.lead_seller.name
    agreed.org.name = "改名后的大学"
    agreed.org.save()
    assert services.loaded(contract).lead_seller.name == before


def test_a_second_draft_of_one_deal_is_the_first_one():
    agreed = Agreed()
    assert agreed.draft() == agreed.draft()
    assert Contract.objects.count() == 1


def test_only_the_seller_begins_the_form():
    agreed = Agreed()
    with pytest.raises(MoveNotAllowed, match="由卖方申请登记"):
        services.draft(agreed.deal, by=agreed.of.buyer, on_behalf_of=agreed.of.company)
    with pytest.raises(PermissionDenied):
        services.draft(agreed.deal, by=agreed.of.buyer, on_behalf_of=agreed.org)
    assert Contract.objects.count() == 0


def test_a_deal_without_an_accepted_offer_has_no_contract():
    of = market.sides()
    deal = market.deal(of)
    with pytest.raises(MoveNotAllowed, match="没有谈定条件"):
        services.draft(deal, by=of.seller, on_behalf_of=of.university)


def test_handing_in_signs_the_deal_and_recognising_registers_it():
    agreed = Agreed()
    agreed.submitted()
    agreed.deal.refresh_from_db()
    assert agreed.deal.state == "signed"
    other = Agreed(office=agreed.office)
    other.registered()
    other.deal.refresh_from_db()
    assert other.deal.state == "registered"


@pytest.mark.parametrize(
    ("kind", "fields", "supply"),
    [
        ("TD1", {}, "open"),
        ("TS1", {}, "open"),
        ("TT3", {"pricing_mode": "auction"}, "transferred"),
        ("TL2", {"licence_mode": "exclusive", "pricing_mode": "auction"}, "transferred"),
        ("TL2", {"licence_mode": "sole", "pricing_mode": "auction"}, "contracted"),
        ("TL2", {"licence_mode": "ordinary", "pricing_mode": "auction"}, "open"),
    ],
)
def test_listings_change_their_availability_by_the_kind_of_contract(kind, fields, supply):
    agreed = Agreed(kind, **fields)
    registration = agreed.registered()
    agreed.of.supply.refresh_from_db()
    agreed.of.need.refresh_from_db()
    assert agreed.of.supply.availability == supply
    assert agreed.of.need.availability == "solved"
    assert agreed.of.need.availability_reference == registration.registration_number


def test_seller_buyer_and_broker_are_told_and_the_broker_is_attributed_although_his_mandate_ended():
    agreed = Agreed(broker=True)
    registration = agreed.submitted()
    agreed.mandate.ends_on = timezone.localdate()
    agreed.mandate.revoked_on = timezone.localdate()
    agreed.mandate.save()
    services.accept(registration, by=agreed.office.first)
    agreed.office.judge(registration)
    services.pass_first(registration, by=agreed.office.first, warning_answer="已核对")
    services.recognise(registration, by=agreed.office.second)
    attribution = registration.attributions.get()
    assert (attribution.broker, attribution.amount_total) == (agreed.mandate.broker, 1800000)
    told = set(Notice.objects.filter(kind="contracts/notices/registered").values_list("recipient", flat=True))
    assert told == {agreed.of.seller.pk, agreed.of.buyer.pk, agreed.mandate.broker.user.pk}


def test_the_brokers_of_both_sides_are_attributed_each_once():
    agreed = Agreed(broker=True)
    other = MandateFactory(client=agreed.org)
    Deal.objects.filter(pk=agreed.deal.pk).update(second_mandate=other)
    registration = agreed.registered()
    rows = registration.attributions.order_by("pk")
    assert [row.mandate for row in rows] == [agreed.mandate, other]
    assert {row.broker for row in rows} == {agreed.mandate.broker, other.broker}
    one = Agreed(broker=True, office=agreed.office)
    same = MandateFactory(client=one.org, broker=one.mandate.broker)
    Deal.objects.filter(pk=one.deal.pk).update(second_mandate=same)
    assert [row.mandate for row in one.registered().attributions.all()] == [one.mandate]


def test_the_trail_goes_down_to_the_listings_as_they_were_published():
    agreed = Agreed()
    registration = agreed.registered()
    title = agreed.of.demand.title
    agreed.of.demand.title = "改过的题目"
    agreed.of.demand.save()
    steps = selectors.trail(registration, agreed.of.buyer)
    found = {step.label: step for step in steps}
    assert [s.label for s in steps if s.label != "匹配"] == ["登记", "合同", "对接", "需求", "成果"]
    assert found["对接"].href == f"/deals/{agreed.deal.number}/"
    assert found["需求"].title == title
    assert found["需求"].href == f"/demands/{agreed.of.need.number}/"


def test_an_outsider_follows_the_trail_only_as_far_as_the_parties_consented():
    office = Scene()
    closed = Agreed(office=office).registered()
    steps = selectors.trail(closed, AnonymousUser())
    assert [bool(step.href) for step in steps] == [True] + [False] * (len(steps) - 1)
    assert "未公开" in steps[-1].title
    opened = Agreed(office=office, consents_to_name=True).registered()
    assert selectors.trail(opened, AnonymousUser())[-1].href.startswith("/achievements/")


def test_the_trail_leads_to_the_version_that_was_published_then(client):
    agreed = Agreed()
    registration = agreed.registered()
    seen, demand = agreed.deal.demand_revision_id, agreed.of.demand
    changed = type(demand).objects.get(pk=demand.pk)
    before, changed.title = changed.title, "后来改过的题目"
    publishing.save_draft(changed, by=agreed.of.buyer, on_behalf_of=agreed.of.company)
    publishing.publish(type(demand).objects.get(pk=demand.pk), by=UserFactory(moderator=True))
    address = f"/demands/{agreed.of.need.number}/?revision={seen}"
    readers = (agreed.of.buyer, agreed.of.seller, agreed.office.second, UserFactory(moderator=True))
    for person in readers:
        step = next(s for s in selectors.trail(registration, person) if s.label == "需求")
        assert (step.title, step.href) == (before, address)
        client.force_login(person)
        assert before in client.get(address).content.decode()
    publishing.withdraw(
        type(demand).objects.get(pk=demand.pk), by=agreed.of.buyer, on_behalf_of=agreed.of.company, reason="已解决"
    )
    assert [s.href for s in selectors.trail(registration, agreed.of.seller) if s.label == "需求"] == [address]
    client.force_login(agreed.of.seller)
    assert client.get(address).status_code == 200
    assert [s.href for s in selectors.trail(registration, AnonymousUser()) if s.label == "需求"] == [""]


def test_staff_read_the_trail_of_a_contract_whose_listing_has_no_version():
    """Imported listings have none, and the parties did not consent: staff still see what it was about."""
    registration = Agreed().registered()
    Deal.objects.update(demand_revision=None, supply_revision=None)
    registration = selectors.registered().get(pk=registration.pk)
    steps = selectors.trail(registration, UserFactory(moderator=True))
    assert [bool(step.href) for step in steps if step.label in ("需求", "成果")] == [True, True]


def test_an_anonymous_need_is_named_to_its_parties_only():
    office = Scene()
    agreed = Agreed(office=office, consents_to_name=True)
    registration = agreed.registered()
    type(agreed.of.demand).objects.filter(pk=agreed.of.demand.pk).update(is_anonymous=True)
    for person, shows in ((AnonymousUser(), False), (agreed.of.seller, True)):
        step = next(s for s in selectors.trail(registration, person) if s.label == "需求")
        assert (step.title != "未公开") is shows


def test_waiting_for_names_the_next_act_of_each_person():
    agreed = Agreed()
    registration = agreed.submitted()
    assert [w.title[:2] for w in selectors.waiting_for(agreed.office.first, None)] == ["受理"]
    assert selectors.waiting_for(agreed.office.second, None) == []
    services.accept(registration, by=agreed.office.first)
    agreed.office.judge(registration, files="缺印章")
    services.ask_supplement(registration, by=agreed.office.first)
    waiting = selectors.waiting_for(agreed.by, agreed.org)
    assert [w.title[:2] for w in waiting] == ["补正"]
    assert waiting[0].due == timezone.localdate() + dt.timedelta(days=30)
