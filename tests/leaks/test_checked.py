"""The door to the engine: what waits is left out, what is wrong raises an alarm once, and no alarm breaks a page."""

from __future__ import annotations

import os

import pytest
from django.db import OperationalError

from cms import publishing
from cms.models import ListingRecord
from search import changes, checked, engines
from search.models import SearchAlarm, SearchChange
from search.query import Hit, Query
from tests.factories import OrganizationFactory, member
from tests.library.conftest import engine
from tests.library.factories import published

__all__ = ["engine"]

pytestmark = pytest.mark.django_db

ASKED = Query(text="除氟", kinds=("achievement",), facets=("region", "kind"))
FLIPS = 200 if os.environ.get("TEST_FULL") else 40


def find():
    return checked.find(ASKED, checked.NOBODY, place="test")


def told(*listings) -> None:
    """The index has these and everything else."""
    changes.rebuild()
    SearchChange.objects.all().delete()


def silently(listing, **values) -> None:
    """Change a row behind everybody's back: the index never hears of it."""
    type(listing).objects.filter(pk=listing.pk).update(**values)


def one(**given):
    return published("achievement", title="矿井水除氟装置", **given)


def test_what_was_withdrawn_is_in_no_hit_total_or_facet_from_the_commit_on(engine):
    owner = OrganizationFactory()
    kept, gone = one(), one(owner=owner)
    told()
    publishing.withdraw(gone, by=member(owner), on_behalf_of=owner, reason="已自行转化")
    assert checked.hiding() == (gone.number,)
    found = find()
    assert [row.number for row in found.listed] == [kept.number]
    assert (found.total, found.facets["region"]["150602"], found.facets["kind"]) == (1, 1, {"achievement": 1})
    assert not SearchAlarm.objects.exists(), "late is no fault"
    changes.drain()
    assert checked.hiding() == ()
    assert find().total == 1


@pytest.mark.parametrize(
    ("given", "hides"),
    [({"title": "矿井水除氟新装置"}, False), ({"disclosure_level": "L1"}, True), ({"disclosure_level": "L3"}, True)],
)
def test_a_changed_listing_is_left_out_only_where_it_may_have_become_less_public(engine, given, hides):
    listing = one(body="正文里的紫云英")
    told()
    for name, value in given.items():
        setattr(listing, name, value)
    listing.save_revision().publish()
    assert checked.hiding() == ((listing.number,) if hides else ())
    assert checked.find(Query(text="紫云英"), checked.NOBODY, place="test").total == (0 if hides else 1)


def test_a_parked_change_hides_as_well(engine):
    listing = one(disclosure_level="L1")
    told()
    SearchChange.objects.create(kind="achievement", key=listing.number, version=9, parked_reason="cannot be read")
    assert checked.hiding(("achievement",)) == (listing.number,)
    assert checked.hiding(("demand",)) == ()


def test_a_wrong_hit_is_left_out_alarmed_and_repaired(engine):
    kept, wrong = one(), one()
    told()
    silently(wrong, live=False)
    found = find()
    assert ([row.number for row in found.listed], found.total, found.facets["region"]["150602"]) == (
        [kept.number],
        1,
        1,
    )
    alarm = SearchAlarm.objects.get()
    assert (alarm.kind, alarm.key, alarm.place, alarm.is_lag, alarm.count) == (
        "hidden_hit", wrong.number, "test", False, 1,
    )  # fmt: skip
    change = SearchChange.objects.get()
    assert (change.key, change.version) == (wrong.number, wrong.record.search_version)
    find()
    assert SearchAlarm.objects.get().count == 1, "it waits now and is left out by the engine"
    changes.drain()
    assert wrong.number not in engine.versions()


def test_what_the_database_does_not_know_is_taken_out_of_the_index(engine):
    kept, lost = one(), one()
    told()
    key = lost.number
    silently(lost, live=False)
    ListingRecord.objects.filter(pk=lost.record.pk).update(number="CG-2026-ZZZZZZ")
    assert find().total == 1
    assert SearchChange.objects.get().key == key
    changes.drain()
    assert set(engine.versions()) == {kept.number}


def test_an_alarm_is_counted_until_somebody_handles_it(engine):
    for is_lag in (True, False, True):
        checked.raise_alarm("hidden_hit", "CG-2026-000001", "list", "x" * 400, is_lag=is_lag)
    alarm = SearchAlarm.objects.get()
    assert (alarm.count, alarm.is_lag, len(alarm.detail)) == (3, False, 300)
    SearchAlarm.objects.update(handled_at=alarm.last_at)
    checked.raise_alarm("hidden_hit", "CG-2026-000001", "list")
    assert sorted(SearchAlarm.objects.values_list("count", flat=True)) == [1, 3]


def test_an_alarm_that_cannot_be_written_does_not_break_the_page(engine, monkeypatch, caplog):
    wrong = one()
    told()
    silently(wrong, live=False)

    def locked(*args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr(SearchAlarm.objects, "filter", locked)
    monkeypatch.setattr(changes, "record", locked)
    assert find().listed == []
    assert "is not written down: database is locked" in caplog.text


def test_where_too_much_is_hidden_the_database_answers(engine, monkeypatch, client):
    monkeypatch.setattr(checked, "EXCLUDING_LIMIT", 1)
    kept, *hidden = one(), one(), one()
    told()
    for listing in hidden:
        silently(listing, disclosure_level="L3")
        changes.record(kind="achievement", key=listing.number, version=9)
    with pytest.raises(engines.EngineDown):
        find()
    page = client.get("/api/v1/achievements/?q=除氟")
    assert page["X-Answered-By"] == "database"
    assert [row["number"] for row in page.json()["results"]] == [kept.number]


def test_an_engine_that_does_not_leave_out_what_it_is_told_still_shows_nothing_wrong(engine, monkeypatch):
    kept, wrong = one(), one()
    told()
    silently(wrong, live=False)
    plain = type(engine).find
    monkeypatch.setattr(type(engine), "find", lambda self, query: plain(self, ASKED))
    found = find()
    assert ([hit.id for hit in found.hits], found.total, found.facets["kind"]) == ([kept.number], 1, {"achievement": 1})


def test_a_question_leaves_out_no_more_than_engines_take():
    with pytest.raises(ValueError, match="at most"):
        Query(excluding=[str(n) for n in range(1_001)])


def test_only_the_rows_that_a_person_may_see_come_back(engine):
    listing = one()
    told()
    draft = Hit("CG-2026-AAAAAA", "achievement", 1.0)
    rows = checked.visible([Hit(listing.number, "achievement", 2.0), draft], checked.NOBODY, place="test")
    assert list(rows) == [listing.number]


PLACES = ("/achievements/?q=除氟", "/search/?q=除氟", "/api/v1/achievements/", "/api/v1/search/?q=除氟")


def test_publishing_and_withdrawing_over_and_over_never_shows_what_is_withdrawn(engine, client):
    """The index takes in each publication and hears of no withdrawal before the page is asked."""
    owner = OrganizationFactory()
    by, listing = member(owner), one(owner=owner)
    told()
    for flip in range(FLIPS):
        place = PLACES[flip % len(PLACES)]
        assert listing.number in client.get(place).content.decode(), flip
        publishing.withdraw(listing, by=by, on_behalf_of=owner, reason="暂停转让")
        assert listing.number not in client.get(place).content.decode(), flip
        listing = publishing.publish(type(listing).objects.get(pk=listing.pk), by=None)
        changes.drain()
    assert not SearchAlarm.objects.exists()
