"""Amounts: reading what people type, showing it rounded last, writing it in capitals."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace import money

amounts = st.decimals(min_value=Decimal("-999999999999.99"), max_value=Decimal("999999999999.99"), places=2)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("180", "1800000.00"),
        ("180.5", "1805000.00"),
        ("１２０.5", "1205000.00"),
        ("１，２００", "12000000.00"),
        ("1,234.56", "12345600.00"),
        ("12.5万元", "125000.00"),
        (" 3 万 ", "30000.00"),
        ("1.2亿", "120000000.00"),
        ("1.2 亿元", "120000000.00"),
        ("1800000元", "1800000.00"),
        ("￥180", "1800000.00"),
        ("0", "0.00"),
        ("-3", "-30000.00"),
        ("−3", "-30000.00"),
        ("0.000001", "0.01"),
        (".5", "5000.00"),
    ],
)
def test_what_people_type_becomes_yuan(typed, value):
    assert money.parse_wan(typed).value == Decimal(value)


@pytest.mark.parametrize(
    "typed", ["", "面议", "1.2.3", "1,23", "12,34,567", "1e5", "NaN", "∞", "180吨", "--3", "１２o", "\x00", "3/4"]
)
def test_what_is_no_amount_is_refused_and_quoted(typed):
    with pytest.raises(money.NotAnAmount, match="不是金额"):
        money.parse_wan(typed)


def test_more_than_fen_and_too_long_figures_are_refused():
    with pytest.raises(money.NotAnAmount, match="精确到分"):
        money.parse_wan("0.0000001")
    with pytest.raises(money.NotAnAmount, match="太长"):
        money.parse_wan("9" * 30)


def test_yuan_typed_for_wan_is_asked_about():
    typed = money.parse_wan("1800000")
    assert typed.value == Decimal("18000000000.00")
    assert typed.meant == Decimal("1800000.00")
    assert typed.hint == "您填的是 1,800,000 万元（180.00\u00a0亿元）。是 180 万元 吗？"


@pytest.mark.parametrize("typed", ["180", "19999.99", "2亿", "90000万元", "1800000元"])
def test_plausible_figures_and_figures_with_a_unit_are_not_asked_about(typed):
    typed = money.parse_wan(typed)
    assert typed.meant is None
    assert typed.hint == ""


@given(amounts)
def test_what_is_shown_can_be_typed_back(value):
    shown = money.plain_wan(value)
    assert money.parse_wan(shown).value == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1234", "1,234.00"),
        ("0", "0.00"),
        ("-0.004", "0.00"),
        ("-1234.5", "−1,234.50"),
        ("2.675", "2.68"),
        ("2.665", "2.67"),
    ],
)
def test_yuan_has_commas_two_places_and_a_true_minus(value, text):
    assert money.yuan(Decimal(value)) == text


def test_wan_and_yi_round_half_up_and_last():
    assert money.wan(Decimal("3120000")) == "312.00"
    assert money.wan(Decimal("50")) == "0.01"
    assert money.wan(Decimal("49.99")) == "0.00"
    assert money.yi(Decimal("1245836000")) == "12.46"
    # Summed first: three times 49.99 元 is 0.01 万元, although each alone shows 0.00.
    assert money.wan(sum([Decimal("49.99")] * 3)) == "0.01"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1246000000", "12.46\u00a0亿元"),
        ("100000000", "1.00\u00a0亿元"),
        ("99999999.99", "10,000.00\u00a0万元"),
        ("-180000", "−18.00\u00a0万元"),
        ("58", "58.00\u00a0元"),
        ("0", "0.00\u00a0万元"),
    ],
)
def test_auto_takes_the_unit_that_reads_best(value, text):
    assert money.auto(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1285000", "壹佰贰拾捌万伍仟元整"),
        ("2860000.00", "贰佰捌拾陆万元整"),
        ("100010", "壹拾万零壹拾元整"),
        ("1000100", "壹佰万零壹佰元整"),
        ("1000000001", "壹拾亿零壹元整"),
        ("20.05", "贰拾元零伍分"),
        ("1.50", "壹元伍角"),
        ("0.01", "壹分"),
        ("0", "零元整"),
        ("-36", "负叁拾陆元整"),
        ("123456789012.34", "壹仟贰佰叁拾肆亿伍仟陆佰柒拾捌万玖仟零壹拾贰元叁角肆分"),
    ],
)
def test_capitals_as_on_paper(value, text):
    assert money.capital(Decimal(value)) == text


@given(amounts)
def test_capitals_end_with_yuan_zheng_jiao_or_fen_and_name_the_sign(value):
    text = money.capital(value)
    assert text.endswith(("元整", "角", "分"))
    assert text.startswith("负") == (value < 0)


def test_capitals_refuse_what_is_no_amount():
    with pytest.raises(ValueError, match="two places"):
        money.capital(Decimal("0.001"))
    with pytest.raises(ValueError, match="two places"):
        money.capital(Decimal(10) ** 16)


@given(amounts)
def test_fen_and_back(value):
    assert money.from_fen(money.fen(value)) == value


def test_fen_refuses_parts_of_a_fen():
    with pytest.raises(ValueError, match="fractions"):
        money.fen(Decimal("0.005"))
