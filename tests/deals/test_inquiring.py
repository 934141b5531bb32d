"""An inquiry: who may send it, what is shared and when, how it ends."""

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from cms import publishing
from cms.models import AccessGrant, Availability
from marketplace import workdays
from marketplace.deals import services
from marketplace.deals.models import Deal, Inquiry
from marketplace.notifications.models import Notice
from marketplace.workflow import MoveNotAllowed, history
from tests.factories import OrganizationFactory, UserFactory, member

from . import factories

pytestmark = pytest.mark.django_db


def test_an_inquiry_names_both_sides_and_the_day_for_an_answer():
    of = factories.sides()
    row = factories.inquiry(of)
    assert (row.state, row.from_organization, row.to_organization) == ("sent", of.university, of.company)
    assert row.respond_by == workdays.deadline(timezone.localdate(row.created_at), 10).day
    assert [entry.action for entry in history(row)] == ["inquiry.send"]
    assert Notice.objects.get(recipient=of.buyer).url == f"/deals/inquiries/{row.pk}/"
    assert not Notice.objects.filter(recipient=of.seller).exists()


def test_nothing_is_granted_before_the_answer():
    of = factories.sides()
    factories.inquiry(of)
    assert AccessGrant.objects.count() == 0
    of.need.refresh_from_db()
    assert of.need.availability == Availability.OPEN


def test_an_acceptance_opens_the_deal_with_copied_sides_and_revisions():
    of = factories.sides()
    deal = factories.deal(of)
    assert (deal.state, deal.buyer, deal.seller) == ("contacted", of.company, of.university)
    assert (deal.demand, deal.supply) == (of.need, of.supply)
    assert deal.demand_revision == of.demand.live_revision
    assert deal.supply_revision == of.achievement.live_revision
    granted = set(AccessGrant.objects.values_list("record", "organization", "reason"))
    reason = f"对接 {deal.number}"
    assert granted == {(of.need.pk, of.university.pk, reason), (of.supply.pk, of.company.pk, reason)}
    for record in (of.need, of.supply):
        record.refresh_from_db()
        assert (record.availability, record.availability_reference) == (Availability.NEGOTIATING, deal.number)
    assert Notice.objects.filter(recipient=of.seller, kind="deals/notices/accepted").count() == 1


def test_an_inquiry_about_an_achievement_makes_the_sender_the_buyer():
    of = factories.sides()
    row = services.inquire(of.supply, by=of.buyer, on_behalf_of=of.company, own=of.need, message="想了解再生条件。")
    deal = services.accept(row, by=of.seller)
    assert (deal.buyer, deal.seller, deal.demand, deal.supply) == (of.company, of.university, of.need, of.supply)


def test_the_sides_stay_as_copied_when_a_listing_is_handed_on():
    of = factories.sides()
    deal = factories.deal(of)
    publishing.set_owner(of.need, OrganizationFactory(), by=None, reason="合并")
    deal.refresh_from_db()
    assert deal.buyer == of.company


def test_the_senders_text_is_granted_only_where_he_ticked_it():
    of = factories.sides()
    factories.deal(of, shares=["phone"])
    assert list(AccessGrant.objects.values_list("record", flat=True)) == [of.need.pk]


def test_nobody_inquires_of_his_own_organisation():
    of = factories.sides()
    with pytest.raises(MoveNotAllowed, match="自己"):
        services.inquire(of.need, by=of.buyer, on_behalf_of=of.company, message="试试")
    assert Inquiry.objects.count() == 0


def test_a_stranger_cannot_write_for_an_organisation():
    of = factories.sides()
    with pytest.raises(PermissionDenied):
        factories.inquiry(of, by=UserFactory())
    assert Inquiry.objects.count() == 0


@pytest.mark.parametrize("what", ["withdrawn", "transferred", "matchmaker_only"])
def test_what_is_not_to_be_had_cannot_be_asked_for(what):
    of = factories.sides(demand={"matchmaker_only": True} if what == "matchmaker_only" else None)
    if what == "withdrawn":
        publishing.withdraw(of.demand, by=of.buyer, on_behalf_of=of.company, reason="不再需要")
    if what == "transferred":
        publishing.set_availability(of.need, Availability.SOLVED, reference="HT-2026-000001")
    of.demand.refresh_from_db()
    with pytest.raises(MoveNotAllowed):
        factories.inquiry(of)
    assert Inquiry.objects.count() == 0


def test_one_open_inquiry_per_listing_and_sender():
    of = factories.sides()
    first = factories.inquiry(of)
    with pytest.raises(services.AlreadyOpen) as refused:
        factories.inquiry(of)
    assert refused.value.inquiry == first
    assert Inquiry.objects.count() == 1
    services.recall(first, by=of.seller)
    assert factories.inquiry(of).pk != first.pk


@pytest.mark.parametrize("wrong", ["foreign", "same_kind", "draft"])
def test_own_must_be_a_public_listing_of_the_other_kind_and_of_the_sender(wrong):
    of, other = factories.sides(), factories.sides()
    own = {"foreign": other.supply, "same_kind": other.need, "draft": of.supply}[wrong]
    if wrong == "draft":
        of.achievement.unpublish()
        own.listing.refresh_from_db()
    if wrong == "same_kind":
        type(own).objects.filter(pk=own.pk).update(owner=of.university)
        own.refresh_from_db()
    with pytest.raises(ValidationError) as refused:
        factories.inquiry(of, own=own)
    assert list(refused.value.message_dict) == ["own"]
    assert Inquiry.objects.count() == 0


def test_unknown_things_to_share_are_refused():
    with pytest.raises(ValidationError):
        factories.inquiry(factories.sides(), shares=["bank_account"])


def test_a_refusal_needs_a_coded_reason_and_words_for_other():
    of = factories.sides()
    row = factories.inquiry(of)
    for reason, note in (("", ""), ("because", ""), ("other", " ")):
        with pytest.raises(ValidationError):
            services.decline(row, by=of.buyer, reason=reason, note=note)
    row.refresh_from_db()
    assert row.state == "sent"
    services.decline(row, by=of.buyer, reason="not_mature", note="还没有中试")
    row.refresh_from_db()
    assert (row.state, row.decline_reason, row.answered_by) == ("declined", "not_mature", of.buyer)
    assert Deal.objects.count() == 0
    assert AccessGrant.objects.count() == 0


def test_only_the_receiver_answers_and_only_the_sender_recalls():
    of = factories.sides()
    row = factories.inquiry(of)
    for act in (
        lambda: services.accept(row, by=of.seller),
        lambda: services.decline(row, by=of.seller, reason="price"),
        lambda: services.recall(row, by=of.buyer),
        lambda: services.accept(row, by=member(OrganizationFactory())),
    ):
        with pytest.raises(MoveNotAllowed):
            act()
    row.refresh_from_db()
    assert row.state == "sent"
    services.recall(row, by=of.seller)
    assert row.state == "recalled"


@pytest.mark.parametrize("end", ["accept", "decline", "recall", "lapse"])
def test_an_answered_inquiry_is_answered(end):
    of = factories.sides()
    row = factories.inquiry(of)
    acts = {
        "accept": lambda: services.accept(row, by=of.buyer),
        "decline": lambda: services.decline(row, by=of.buyer, reason="price"),
        "recall": lambda: services.recall(row, by=of.seller),
        "lapse": lambda: services.lapse(row),
    }
    acts[end]()
    for act in acts.values():
        with pytest.raises(MoveNotAllowed):
            act()


def test_an_anonymous_owner_has_no_name_in_notices_before_accepting():
    of = factories.sides(demand={"anonymous": True})
    row = factories.inquiry(of)
    services.decline(row, by=of.buyer, reason="price")
    notice = Notice.objects.get(recipient=of.seller)
    assert of.company.name not in notice.title + notice.text
    assert "匿名单位" in notice.title


def test_rows_are_seen_by_their_sides_alone():
    of = factories.sides()
    row = factories.inquiry(of)
    deal = services.accept(row, by=of.buyer)
    stranger = member(OrganizationFactory())
    for person, sees in ((of.buyer, True), (of.seller, True), (stranger, False), (UserFactory(moderator=True), False)):
        assert Inquiry.objects.visible_to(person).filter(pk=row.pk).exists() is sees
        assert Deal.objects.visible_to(person).filter(pk=deal.pk).exists() is sees
    assert Deal.objects.visible_to(UserFactory(administrator=True)).count() == 1
