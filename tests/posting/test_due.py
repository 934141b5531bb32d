"""The clock: reminders thirty days before the end, then off the site; twice is once."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from cms.models import Achievement, ListingRecord
from marketplace.notifications.models import Notice
from marketplace.posting import due
from marketplace.posting.selectors import waiting_for
from tests.factories import AchievementFactory, DemandFactory, member

pytestmark = pytest.mark.django_db


def ends_in(listing, days: int) -> None:
    day = timezone.localdate() + dt.timedelta(days=days)
    ListingRecord.objects.filter(pk=listing.record.pk).update(valid_until=day)


def test_what_is_over_goes_off_the_site_and_the_head_is_told_once():
    listing = AchievementFactory(published=True)
    head = member(listing.record.owner)
    ends_in(listing, -1)
    assert due.run() == {"expired": 1, "reminded": 0}
    assert due.run() == {"expired": 0, "reminded": 0}
    assert not Achievement.objects.get(pk=listing.pk).live
    assert [n.kind for n in Notice.objects.filter(recipient=head)] == ["posting/notices/expired"]


def test_a_listing_goes_off_with_its_notice_or_not_at_all(monkeypatch):
    listing = AchievementFactory(published=True)
    head = member(listing.record.owner)
    ends_in(listing, -1)

    def crash(*args, **kwargs):
        raise RuntimeError("killed")

    monkeypatch.setattr(due, "notify", crash)
    with pytest.raises(RuntimeError):
        due.run()
    assert Achievement.objects.get(pk=listing.pk).live
    monkeypatch.undo()
    assert due.run()["expired"] == 1
    assert Notice.objects.filter(recipient=head, kind="posting/notices/expired").count() == 1


def test_the_last_day_is_still_valid():
    listing = AchievementFactory(published=True)
    ends_in(listing, 0)
    due.run()
    assert Achievement.objects.get(pk=listing.pk).live


def test_thirty_days_before_the_head_is_reminded_once_and_the_desk_shows_it():
    listing = DemandFactory(published=True)
    head = member(listing.record.owner)
    ends_in(listing, 20)
    assert due.run()["reminded"] == 1
    assert due.run()["reminded"] == 0
    assert "还有 20 天到期" in Notice.objects.get(recipient=head).title
    assert any("续期" in row.title for row in waiting_for(head, listing.record.owner))


def test_a_draft_waits_on_the_desk_of_its_organisation_only():
    draft = DemandFactory()
    owner = draft.record.owner
    assert any("提交审核" in row.title for row in waiting_for(member(owner), owner))
    other = AchievementFactory().record.owner
    assert all(draft.title not in row.title for row in waiting_for(member(other), other))
