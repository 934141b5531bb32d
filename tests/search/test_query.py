"""Codes and their levels, bands, and what a query refuses."""

from __future__ import annotations

from decimal import Decimal

import pytest

from search.query import Document, Query, levels, price_band, term_of, trl_band


@pytest.mark.parametrize(
    ("facet", "code", "expected"),
    [
        ("technology_field", "0605", ["06", "0605"]),
        ("technology_field", "06", ["06"]),
        ("technology_field", "10", ["10"]),
        ("region", "150602", ["15", "1506", "150602"]),
        ("region", "150600", ["15", "1506"]),
        ("region", "110000", ["11"]),
        ("key_technology", "KI1-2", ["KI1", "KI1-2"]),
        ("industry", "26", ["26"]),
        ("industry", "2611", ["26", "261", "2611"]),
        ("transfer_mode", "M1", ["M1"]),
    ],
)
def test_every_level_above_a_code_is_a_term(facet: str, code: str, expected: list[str]) -> None:
    assert list(levels(facet, code)) == expected


def test_a_filter_value_is_one_term() -> None:
    assert (term_of("region", "150600"), term_of("region", "150602"), term_of("industry", "30")) == (
        "1506",
        "150602",
        "30",
    )


@pytest.mark.parametrize(
    ("price", "band"),
    [(None, None), ("0.00", "0-50"), ("499999.99", "0-50"), ("500000.00", "50-200"), ("2000000.00", "200-")],
)
def test_price_bands_meet_without_a_gap(price: str | None, band: str | None) -> None:
    assert price_band(Decimal(price) if price else None) == band


def test_trl_bands() -> None:
    assert [trl_band(n) for n in (None, 1, 3, 4, 6, 7, 9)] == [None, "1-3", "1-3", "4-6", "4-6", "7-9", "7-9"]


def test_terms_of_a_document_are_complete_and_each_once() -> None:
    given = Document(
        id="CG-1",
        kind="achievement",
        title="除氟",
        terms={"technology_field": ["0605", "0601"], "industry": [""]},
        owner="7",
        trl=5,
        negotiable=True,
        price=Decimal(10),
    )
    assert given.all_terms() == {
        "technology_field": ["06", "0605", "0601"],
        "owner": ["7"],
        "trl_band": ["4-6"],
        "price_band": ["negotiable"],
    }


def test_parts_and_text_leave_out_what_is_empty() -> None:
    given = Document(id="CG-1", kind="demand", title="题", body="正文", extra={"problem": "难题", "wanted": ""})
    assert given.parts == {"title": "题", "problem": "难题", "body": "正文"}
    assert (given.text, given.rest) == ("题\n难题\n正文", "难题\n正文")


@pytest.mark.parametrize(
    "wrong",
    [
        {"filters": {"colour": ["red"]}},
        {"facets": ["colour"]},
        {"ranges": {"age": (1, 2)}},
        {"ordering": "colour"},
        {"page": 0},
    ],
)
def test_a_query_refuses_what_the_index_does_not_hold(wrong: dict) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the message names what is wrong, whichever it is
        Query(**wrong)
