"""The doors of publication: words travel with revisions, conditions do not; acts are logged."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import models
from django.utils import timezone

from cms import publishing
from cms.models import AccessLog, Achievement, Availability, Demand, ListingRecord, log_view
from cms.publishing import PublishingError
from cms.signals import listing_changed
from marketplace.workflow import history
from tests.factories import AchievementFactory, DemandFactory, OrganizationFactory, UserFactory, member

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate


def record_of(listing) -> ListingRecord:
    return ListingRecord.objects.get(pk=listing.record.pk)


def contracted():
    """A contracted achievement whose words were changed since, with its first revision."""
    listing = AchievementFactory(published=True, title="旧名称的除氟装置")
    first = listing.latest_revision
    draft = listing.get_latest_revision_as_object()
    draft.title = "新名称的除氟装置"
    publishing.save_draft(draft, by=None)
    listing = publishing.publish(Achievement.objects.get(pk=listing.pk), by=None)
    publishing.set_availability(listing.record, Availability.CONTRACTED, reference="HT-2026-ABCDEF")
    publishing.set_owner(listing.record, OrganizationFactory(), by=None, reason="单位合并")
    publishing.renew(listing.record, by=None, on_behalf_of=None, until=TODAY() + dt.timedelta(days=500))
    return listing, first


def test_only_staff_hands_a_listing_to_another_organisation():
    listing = AchievementFactory(published=True)
    owner, other = listing.record.owner, OrganizationFactory()
    for person in (member(owner), member(other)):
        with pytest.raises(publishing.PublishingError, match="由平台工作人员办理"):
            publishing.set_owner(listing.record, other, by=person, reason="送人")
    assert ListingRecord.objects.get(pk=listing.record.pk).owner == owner
    publishing.set_owner(listing.record, other, by=UserFactory(moderator=True), reason="单位合并")
    assert ListingRecord.objects.get(pk=listing.record.pk).owner == other


def test_an_availability_is_compared_with_what_stands_now_not_with_an_object_at_hand():
    listing = AchievementFactory(published=True)
    stale = ListingRecord.objects.get(pk=listing.record.pk)
    publishing.set_availability(listing.record, Availability.CONTRACTED, reference="HT-2026-ABCDEF")
    publishing.set_availability(stale, Availability.OPEN, reference="")
    assert ListingRecord.objects.get(pk=listing.record.pk).availability == Availability.OPEN


def conditions(record: ListingRecord) -> dict[str, object]:
    kept = (
        "owner_id",
        "availability",
        "availability_reference",
        "valid_until",
        "number",
        "first_published_at",
        "source",
    )
    return {name: getattr(record, name) for name in kept}


def test_publishing_an_older_revision_brings_back_words_and_nothing_else():
    listing, first = contracted()
    before = record_of(listing)
    first.publish(user=UserFactory(is_superuser=True))
    after = record_of(listing)
    assert Achievement.objects.get(pk=listing.pk).title == "旧名称的除氟装置"
    assert conditions(after) == conditions(before)
    assert after.search_version > before.search_version


def test_the_revision_trap_is_real_for_a_condition_kept_in_the_listings_row():
    """Negative control "revision trap": what stands in the row of words (how far it is public) does travel back."""
    listing, first = contracted()
    Achievement.objects.filter(pk=listing.pk).update(disclosure_level="L2")
    first.publish(user=UserFactory(is_superuser=True))
    assert Achievement.objects.get(pk=listing.pk).disclosure_level == "L0"


def test_no_condition_stands_in_a_row_of_words():
    names = {f.name for f in Achievement._meta.get_fields()} | {f.name for f in Demand._meta.get_fields()}
    assert not names & {"owner", "availability", "valid_until", "search_version", "number"}


def test_a_draft_keeps_its_children_in_the_revision_only():
    demand = DemandFactory()
    draft = demand.get_latest_revision_as_object()
    from tests.factories import target

    draft.targets = [target()]
    publishing.save_draft(draft, by=member(demand.record.owner), on_behalf_of=demand.record.owner)
    assert Demand.objects.get(pk=demand.pk).targets.count() == 0
    assert len(Demand.objects.get(pk=demand.pk).get_latest_revision_as_object().targets.all()) == 1


def test_acts_are_logged_with_who_and_for_whom():
    demand = DemandFactory(published=True)
    owner = demand.record.owner
    user = member(owner)
    publishing.withdraw(demand, by=user, on_behalf_of=owner, reason="已解决")
    entry = next(iter(history(demand)))
    assert entry.action == "listing.withdraw"
    assert entry.user == user
    assert entry.data["on_behalf_of"]["id"] == owner.pk
    assert entry.data["note"] == "已解决"


def test_a_stranger_may_not_withdraw_nor_renew():
    demand = DemandFactory(published=True)
    stranger = member(OrganizationFactory())
    with pytest.raises(PublishingError):
        publishing.withdraw(demand, by=stranger, on_behalf_of=None, reason="捣乱")
    with pytest.raises(PublishingError):
        publishing.renew(demand.record, by=stranger, on_behalf_of=None, until=TODAY() + dt.timedelta(days=9))
    assert Demand.objects.get(pk=demand.pk).live


def expired():
    listing = AchievementFactory(published=True)
    ListingRecord.objects.filter(pk=listing.record.pk).update(valid_until=TODAY() - dt.timedelta(days=1))
    assert publishing.expire(Achievement.objects.get(pk=listing.pk))
    return Achievement.objects.get(pk=listing.pk)


def test_expiry_takes_it_off_once_and_renewal_brings_the_same_words_back():
    listing = expired()
    assert not listing.live
    assert record_of(listing).expired_at
    assert not publishing.expire(listing)
    draft = listing.get_latest_revision_as_object()
    draft.title = "没有审核过的新名称"
    publishing.save_draft(draft, by=None)
    publishing.renew(record_of(listing), by=None, on_behalf_of=None, until=TODAY() + dt.timedelta(days=100))
    again = Achievement.objects.get(pk=listing.pk)
    assert again.live
    assert again.title == listing.title
    assert again.has_unpublished_changes
    assert again.latest_revision.object_str == "没有审核过的新名称"
    assert record_of(listing).expired_at is None


def test_renewal_refuses_impossible_days_and_withdrawn_listings():
    listing = AchievementFactory(published=True)
    for days in (0, 5, 2000):
        with pytest.raises(PublishingError):
            publishing.renew(listing.record, by=None, on_behalf_of=None, until=TODAY() + dt.timedelta(days=days))
    publishing.withdraw(listing, by=None, on_behalf_of=None, reason="不再提供")
    with pytest.raises(PublishingError, match="已撤回"):
        publishing.renew(listing.record, by=None, on_behalf_of=None, until=TODAY() + dt.timedelta(days=700))


@pytest.mark.parametrize("act", ["publish", "withdraw", "availability", "grant"])
def test_every_public_change_raises_the_version_and_is_announced(act):
    listing = AchievementFactory(published=True)
    before = record_of(listing).search_version
    heard = []

    def hear(sender, record, what, **kwargs):
        heard.append(what)

    listing_changed.connect(hear)
    try:
        if act == "publish":
            publishing.publish(listing, by=None)
        elif act == "withdraw":
            publishing.withdraw(listing, by=None, on_behalf_of=None, reason="不再提供")
        elif act == "availability":
            publishing.set_availability(listing.record, "negotiating", reference="DJ-2026-ABCDEF")
        else:
            publishing.grant(listing.record, organization=OrganizationFactory(), reason="保密协议")
    finally:
        listing_changed.disconnect(hear)
    assert heard
    assert record_of(listing).search_version > before


def test_a_grant_is_prolonged_never_doubled_and_opens_the_text():
    listing = AchievementFactory(published=True, restricted_l2=True)
    organization = OrganizationFactory()
    reader = member(organization)
    assert not listing.body_visible_to(reader)
    day = TODAY() + dt.timedelta(days=10)
    publishing.grant(listing.record, organization=organization, until=day, reason="保密协议")
    publishing.grant(listing.record, organization=organization, until=day - dt.timedelta(days=5), reason="保密协议")
    later = publishing.grant(
        listing.record, organization=organization, until=day + dt.timedelta(days=5), reason="保密协议"
    )
    assert listing.record.grants.count() == 1
    assert later.ends_on == day + dt.timedelta(days=5)
    assert listing.body_visible_to(reader)


def test_what_was_public_is_not_deleted_and_a_draft_is_with_its_record():
    public = DemandFactory(published=True)
    with pytest.raises(models.ProtectedError):
        public.delete()
    draft = DemandFactory()
    publishing.delete_draft(draft, by=member(draft.record.owner))
    assert not ListingRecord.objects.filter(pk=draft.record.pk).exists()


def test_a_look_at_a_restricted_text_is_written_down_once_an_hour():
    listing = AchievementFactory(published=True, restricted_l1=True)
    organization = OrganizationFactory()
    reader = member(organization)
    assert log_view(listing.record, reader, organization)
    assert log_view(listing.record, reader, organization) is None
    assert AccessLog.objects.get().on_behalf_of == organization


def test_wagtail_sends_no_mail_inside_the_transaction(mailoutbox):
    demand = DemandFactory(cooperation_modes=["M5"])
    UserFactory(moderator=True)
    demand.get_workflow().start(demand, member(demand.record.owner))
    assert mailoutbox == []
