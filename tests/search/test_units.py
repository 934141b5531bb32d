"""Units as people write them, and figures compared only where they can be."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.units import UNITS, Figure, compare, is_unit, unit


def figure(text: str) -> Figure:
    """`≤ 1.0 mg/L`, `28–35 ℃`, `= 20 次`."""
    operator, rest = {"≤": ("le", text[1:]), "≥": ("ge", text[1:]), "=": ("eq", text[1:])}.get(text[0], ("range", text))
    number, _, spelt = rest.strip().partition(" ")
    low, _, high = number.partition("–")
    return Figure("名", operator, Decimal(low), Decimal(high) if high else None, spelt)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("m³/h", "立方米/小时"),
        ("t/d", "吨/天"),
        ("万吨/年", "万t/a"),
        ("％", "%"),
        ("kW·h", "千瓦时"),
        ("µm", "微米"),
        ("℃", "°C"),
        ("元/吨", "元/t"),
        ("个月", "月"),
        ("Mg/L", "mg/L"),
    ],
)
def test_spellings_of_one_unit(one: str, other: str) -> None:
    assert unit(one) == unit(other)


@pytest.mark.parametrize(
    ("one", "other"), [("MPa", "mPa"), ("MW", "mW"), ("次", "台"), ("m3/h", "Nm3/h"), ("kg", "kg/t")]
)
def test_what_looks_alike_and_is_not(one: str, other: str) -> None:
    assert unit(one).dimension != unit(other).dimension


@pytest.mark.parametrize(
    ("target", "offered", "result"),
    [
        ("≤ 1 mg/L", "= 0.8 mg/L", True),
        ("≤ 1 mg/L", "= 0.0008 g/L", True),
        ("≤ 1 mg/L", "≤ 0.8 mg/L", True),
        ("≤ 1 mg/L", "= 1.0001 mg/L", False),
        ("≤ 1 mg/L", "≥ 2 mg/L", False),
        ("≤ 1 mg/L", "≤ 3 mg/L", None),
        ("≥ 40 m³/h", "= 960 m³/d", True),
        ("≥ 40 m³/h", "≤ 60 m³/h", None),
        ("≥ 40 m³/h", "≤ 30 m³/h", False),
        ("28–35 ℃", "10–40 ℃", True),
        ("28–35 ℃", "= 30 ℃", True),
        ("35–42 g/L", "= 28 g/L", False),
        ("28–35 ℃", "30–40 ℃", None),
        ("= 15 次", "= 15 次", True),
        ("≥ 15 次", "= 18 台", None),
        ("≥ 15 次", "= 18 次", True),
        ("≤ 4 元/t", "= 4.6 元/吨", False),
        ("≥ -20 ℃", "= -40 ℃", False),
    ],
)
def test_a_figure_against_a_target(target: str, offered: str, result: bool | None) -> None:
    assert compare(figure(target), figure(offered)) is result


AMOUNTS = st.decimals(min_value=-1000, max_value=1000, places=3)


@given(AMOUNTS, AMOUNTS, st.sampled_from(["ge", "le", "eq"]), st.sampled_from(["ge", "le", "eq"]))
def test_a_verdict_agrees_with_every_value_that_the_figures_allow(
    a: Decimal, b: Decimal, mine: str, theirs: str
) -> None:
    """Try the numbers around both bounds: met means all that is offered fits, not met that none does."""
    allows = {"ge": lambda x, v: x >= v, "le": lambda x, v: x <= v, "eq": lambda x, v: x == v}
    tried = [x + step for x in (a, b) for step in (Decimal("-0.001"), Decimal(0), Decimal("0.001"))]
    offered = [x for x in tried if allows[theirs](x, b)]
    fits = [allows[mine](x, a) for x in offered]
    result = compare(Figure("名", mine, a), Figure("名", theirs, b))
    if result is True:
        assert all(fits)
    elif result is False:
        assert not any(fits)
    else:
        assert theirs != "eq"


@given(st.sampled_from([(d, u) for d, units in UNITS.items() for u in units]), AMOUNTS)
def test_a_figure_in_any_unit_meets_itself(pair: tuple[str, str], amount: Decimal) -> None:
    assert unit(pair[1]).dimension == pair[0]
    same = Figure("名", "eq", amount, None, pair[1])
    assert compare(same, same) is True


def test_a_figure_says_itself() -> None:
    said = [str(figure(text)) for text in ("≤ 1.50 mg/L", "28–35 ℃", "= 18 次", "≥ 40")]
    assert said == ["≤ 1.5 mg/L", "28–35 ℃", "18 次", "≥ 40"]


def test_units_alone_are_recognised() -> None:
    assert is_unit("mg/l")
    assert is_unit("kwh")
    assert not is_unit("tds")
