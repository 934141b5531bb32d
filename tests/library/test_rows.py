"""Rows of a list as they are read for it: the same words as of the whole listing, in a fixed number of queries."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from cms.models import KINDS, listing_model
from marketplace.library import finding, rows
from marketplace.library.filters import FILTERSETS
from tests.factories import patent

from .factories import published

pytestmark = pytest.mark.django_db

BANDS = ("0-50", "200-")


def _publish(kind: str) -> None:
    own: dict[str, Any] = {
        "achievement": {"transfer_modes": ["M2", "M1"], "patents": [patent(is_granted=True)]},
        "demand": {"cooperation_modes": ["M3"]},
    }.get(kind, {})
    published(kind, **own)
    published(kind, disclosure_level="L1", **own, record={"availability": "negotiating"})


def _rows(kind: str) -> tuple[list[dict[str, Any]], int]:
    with CaptureQueriesContext(connection) as queries:
        read = finding.for_rows(listing_model(kind).objects.order_by("pk"), kind)
        found = [rows.row(one, "除氟") for one in read]
    return found, len(queries)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_reads_as_the_whole_listing_would_and_asks_for_nothing_more(kind: str) -> None:
    _publish(kind)
    found, queries = _rows(kind)
    plainly = finding.with_parts(listing_model(kind).objects.order_by("pk"), kind)
    assert found == [rows.row(one, "除氟") for one in plainly]
    _publish(kind)
    more, again = _rows(kind)
    assert (len(found), len(more), again) == (2, 4, queries)
    assert queries == (3 if kind == "achievement" else 1)


def test_two_filter_sets_at_once_keep_to_themselves() -> None:
    """They share what never changes of their filters and fields."""
    kinds = ("achievement", "demand")
    one, other = (FILTERSETS[kind]({"price_band": band, "q": "氟"}) for kind, band in zip(kinds, BANDS, strict=True))
    wrong = FILTERSETS["achievement"]({"price_band": "1-2"})
    assert (one.codes("price_band"), other.codes("price_band")) == (["0-50"], ["200-"])
    assert wrong.refused()
    assert not one.refused()
    assert not wrong.codes("price_band")
    assert one.filters["owner"].parent is one
    assert other.filters["owner"].parent is other
    assert [value for value, _ in other.form.fields["ordering"].choices if value] == list(other.ORDERED[1:])
