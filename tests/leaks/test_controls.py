"""Each guard is taken away once: the sweep must then find what it kept back. And with all of them it finds nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from wagtail.permission_policies import ModelPermissionPolicy

from cms.models import Demand, Listing, ListingQuerySet, listing_model
from marketplace.accounts.models.organizations import OrganizationQuerySet
from marketplace.contracts.models.contract import ContractQuerySet
from marketplace.deals.models.deals import DealQuerySet
from marketplace.deals.models.inquiries import InquiryQuerySet
from marketplace.library import details as detail_pages
from marketplace.library import rows
from search import changes, checked, listings, resolve, sources

from . import surfaces
from .canaries import VISITOR
from .scene import Market
from .snapshots import snapshot

pytestmark = [pytest.mark.slow]

Found = list[str]


def read_by(market: Market, role: str, addresses: list[str]) -> Found:
    """Where the hidden words come from that a role reads on some addresses."""
    client = surfaces.client_of(market, role)
    return [where for one in addresses for where in market.canaries.hidden_from(role, surfaces.read(client, one))]


def found_by_words(market: Market) -> Found:
    """Hidden words that bring a hit or lead somewhere, asked one by one by a visitor."""
    client, found = surfaces.client_of(market, VISITOR), []
    for one in market.canaries.planted:
        answer = client.get(f"/search/?q={quote(one.word)}")
        if answer.status_code != 200 or answer.context["named"] or answer.context["answer"].total:
            found.append(one.where)
    return found


def told_by_counts(market: Market) -> Found:
    """Questions whose totals, facets or rows differ from the market's without the hidden."""
    return [question for question, answer in snapshot().items() if answer != market.before[question]]


def of_listings(*names: str) -> Callable[[Market], list[str]]:
    def addresses(market: Market) -> list[str]:
        chosen = [market.listings[name] for name in names]
        return [page for one in chosen for page in surfaces.about(one.KIND, one.record.number)[:2]]

    return addresses


def everybody(self: Any, user: Any) -> Any:
    return self


def _index_anew(documents: Callable[[Any], Any]) -> None:
    """Have the index made of other documents than the public parts; the sources are put back by the fixture, the index
    is not: these controls stand last."""
    for kind in ("achievement", "demand", "project"):
        sources._sources[kind] = replace(sources._sources[kind], to_document=documents)
    changes.rebuild()


@pytest.fixture
def put_back(market):
    """The sources as they were."""
    kept = dict(sources._sources)
    yield
    sources._sources.clear()
    sources._sources.update(kept)


def _whole(listing: Listing) -> Any:
    document = listings.to_document(listing)
    if document is None:
        return None
    return replace(document, body=listing.body, extra=listings._extra(listing, full=True))


def _with_owner(listing: Listing) -> Any:
    document = listings.to_document(listing)
    return document and replace(document, owner=str(listing.record.owner_id or ""))


# Name → what is taken away, and the sweep that must find something.
CONTROLS: dict[str, tuple[Callable[[Any], None], Callable[[Market], Found]]] = {
    "visible_to on pages of drafts": (
        lambda patch: patch.setattr(ListingQuerySet, "visible_to", everybody),
        lambda market: read_by(market, VISITOR, of_listings("draft demand", "L3 demand")(market)),
    ),
    "body_visible_to": (
        lambda patch: patch.setattr(Listing, "body_visible_to", lambda self, user: True),
        lambda market: read_by(market, "newcomer", of_listings("L1 achievement", "L2 demand")(market)),
    ),
    "the look into the database after each hit": (
        lambda patch: patch.setattr(checked, "_rows", _any_rows),
        lambda market: read_by(market, VISITOR, surfaces.lists()[:4]),
    ),
    "excluding what waits: words": (
        lambda patch: patch.setattr(checked, "hiding", lambda kinds=(): ()),
        found_by_words,
    ),
    "excluding what waits: counts": (
        lambda patch: patch.setattr(checked, "hiding", lambda kinds=(): ()),
        told_by_counts,
    ),
    "asking again without a wrong hit": (
        lambda patch: (patch.setattr(checked, "ASKS", 1), patch.setattr(checked, "_without", _uncut)),
        told_by_counts,
    ),
    "names and numbers of what is readable alone": (
        lambda patch: patch.setattr(resolve, "_readable", lambda rows, user: list(rows)),
        found_by_words,
    ),
    "an anonymous need's owner in lists": (
        lambda patch: patch.setitem(rows._OWN, "demand", _named),
        lambda market: read_by(market, VISITOR, ["/demands/"]),
    ),
    "an owner's name on the page": (
        lambda patch: patch.setattr(detail_pages.Reading, "hides_owner", property(lambda self: False)),
        lambda market: read_by(market, "newcomer", of_listings("anonymous")(market)),
    ),
    "organisations that nobody knows of": (
        lambda patch: patch.setattr(OrganizationQuerySet, "visible_to", everybody),
        lambda market: read_by(market, VISITOR, [a for a in market.addresses if a.startswith("/organizations/")]),
    ),
    "inquiries": (
        lambda patch: patch.setattr(InquiryQuerySet, "visible_to", everybody),
        lambda market: read_by(market, "company", [a for a in market.addresses if a.startswith("/deals/inq")]),
    ),
    "deals": (
        lambda patch: patch.setattr(DealQuerySet, "visible_to", everybody),
        lambda market: read_by(market, "company", [a for a in market.addresses if a.startswith("/deals/DJ")]),
    ),
    "contracts": (
        lambda patch: patch.setattr(ContractQuerySet, "visible_to", everybody),
        lambda market: read_by(market, "company", [a for a in market.addresses if a.startswith("/contracts/")]),
    ),
    "Wagtail's chooser of listings": (
        lambda patch: patch.setattr(ModelPermissionPolicy, "user_has_any_permission", lambda *given: True),
        lambda market: read_by(market, "editor", ["/admin/snippets/choose/cms/achievement/"]),
    ),
    "published versions alone": (
        lambda patch: (
            patch.setattr(detail_pages, "_was_published", lambda listing, revision: True),
            patch.setattr(detail_pages, "has_part_in", lambda user, revision: True),
        ),
        lambda market: read_by(market, "company", surfaces.earlier(market)),
    ),
    "the levels of a document": (lambda patch: _index_anew(_whole), found_by_words),
    "no owner of an anonymous need in the index": (
        lambda patch: _index_anew(_with_owner),
        lambda market: [a for a in market.addresses if a.startswith("/api/v1/demands/?owner=") and _count(market, a)],
    ),
}


def _named(listing: Demand) -> dict[str, Any]:
    return rows._demand(listing) | {"owner": listing.record.owner_name}


def _any_rows(kind: str, numbers: Any, user: Any, parts: Any) -> dict[str, Any]:
    held = listing_model(kind)._default_manager.filter(record__number__in=numbers)
    return {row.record.number: row for row in (parts(held, kind) if parts else held)}


def _uncut(results: Any, wrong: Any, rows: Any) -> Any:
    kept = tuple(hit for hit in results.hits if hit.id in rows)
    return checked.Checked(kept, results.total, results.facets, results.relaxed, rows=rows)


def _count(market: Market, address: str) -> int:
    return int(surfaces.client_of(market, VISITOR).get(address).json()["count"])


def test_with_all_guards_the_same_sweeps_find_nothing(market):
    sweeps = {sweep: name for name, (_take_away, sweep) in CONTROLS.items()}
    for sweep, name in sweeps.items():
        point = transaction.savepoint()
        assert sweep(market) == [], name
        transaction.savepoint_rollback(point)


@pytest.mark.parametrize("name", CONTROLS)
def test_without_the_guard_the_sweep_finds_something(market, monkeypatch, put_back, name):
    take_away, sweep = CONTROLS[name]
    take_away(monkeypatch)
    assert sweep(market)
