"""Bulk rows for benchmarks: the same for a seed, marked as what they are, of the product's own shapes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from cms.models import KINDS, Achievement, ListingRecord, listing_model
from marketplace.accounts.models import Organization
from marketplace.demo import synthetic
from marketplace.demo.synthetic_texts import MARK
from search import changes, listings
from search.engines import close_engine, get_engine
from search.query import Query

DAY = dt.date(2026, 3, 1)
pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Any:
    settings.DATA_DIR = tmp_path
    close_engine()
    yield tmp_path
    close_engine()


def public_documents() -> list[Any]:
    found = [listings.to_document(row) for kind in KINDS for row in listings.public_rows(kind)]
    return [document for document in found if document is not None]


def test_one_seed_makes_the_same_rows_each_time() -> None:
    synthetic.load(60, seed=1, day=DAY)
    owners = list(Organization.objects.order_by("name"))
    again = synthetic.Maker(1, DAY, owners)
    for n in range(60):
        made = again.one(n)
        kept = ListingRecord.objects.get(external_id=f"synthetic-1-{n}")
        listing = kept.listing
        assert (kept.number, kept.kind, kept.owner, kept.changed_at) == (
            made.record.number, made.record.kind, made.record.owner, made.record.changed_at
        )  # fmt: skip
        assert (listing.title, listing.summary, listing.body) == (
            made.listing.title, made.listing.summary, made.listing.body
        )  # fmt: skip
        assert sorted(code.pk for code in listing.industries.all()) == sorted(made.codes["industries"])


def test_another_seed_makes_others() -> None:
    synthetic.load(40, seed=1, day=DAY)
    synthetic.load(40, seed=2, day=DAY)
    titles = ListingRecord.objects.values_list("number", flat=True)
    assert len(set(titles)) == 80


def test_nobody_takes_one_for_real_and_every_one_can_be_read() -> None:
    synthetic.load(300, seed=1, day=DAY)
    found = public_documents()
    assert len(found) == 300
    assert all(one.title.startswith(MARK) for one in found)
    assert all(name.startswith("合成单位") for name in Organization.objects.values_list("name", flat=True))
    assert not [record for record in ListingRecord.objects.all() if record.source != "imported"]
    for kind in KINDS:
        for listing in listing_model(kind).objects.all()[:20]:
            listing.clean_fields(exclude=["latest_revision", "live_revision"])
    achievement = Achievement.objects.first()
    assert achievement is not None
    assert achievement.kpis.count() == 2
    assert str(achievement.kpis.first())


def test_the_command_loads_and_indexes(folder: Path) -> None:
    call_command("load_synthetic", listings=40, day=DAY)
    assert get_engine().find(Query(kinds=KINDS)).total == 40
    assert changes.waiting() == 0


@pytest.mark.parametrize("given", [{"listings": 0}, {"listings": 10, "seed": -1}])
def test_it_refuses_what_makes_no_sense(given: dict[str, Any]) -> None:
    with pytest.raises(SystemExit, match="2"):
        call_command("load_synthetic", **given)
    assert not ListingRecord.objects.exists()


def test_it_refuses_a_market_of_real_listings_and_a_second_time() -> None:
    owner = Organization.objects.create(name="某单位")
    ListingRecord.objects.create(kind="achievement", owner=owner)
    with pytest.raises(SystemExit, match="2"):
        call_command("load_synthetic", listings=10, no_index=True)
    call_command("load_synthetic", listings=10, no_index=True, force=True)
    with pytest.raises(SystemExit, match="2"):
        call_command("load_synthetic", listings=10, no_index=True, force=True)
    assert ListingRecord.objects.count() == 11
