"""A figure is the sum of the very rows that it opens to."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from marketplace.contracts.models import TurnoverEntry
from marketplace.indicators import catalogue
from marketplace.indicators.catalogue import Group, suppress
from tests.indicators.factories import entry

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 3, 15)
YEAR = {"start": dt.date(2026, 1, 1), "end": dt.date(2026, 12, 31)}


def test_output_absorbed_and_registered_here_ask_different_columns():
    entry("100", on=DAY, seller="150602", buyer="610800")
    entry("10", on=DAY, seller="610800", buyer="150622")
    entry("1", on=DAY, seller="150603", buyer="150627")
    values = {b: catalogue.turnover(basis=b, **YEAR).value for b in catalogue.BASES}
    assert values == {"output": Decimal(101), "absorbed": Decimal(11), "registered_here": Decimal(111)}


def test_both_days_count_and_the_neighbours_do_not():
    for day in (dt.date(2025, 12, 31), dt.date(2026, 1, 1), dt.date(2026, 12, 31), dt.date(2027, 1, 1)):
        entry("1", on=day)
    assert catalogue.turnover(**YEAR).value == Decimal(2)


def test_a_sum_is_exact_to_the_fen_on_every_database():
    """Added as floats, these amounts come out a fraction of a 分 beside the sum of the rows."""
    amounts = [Decimal("0.1"), Decimal("1234567.89"), Decimal("99999999999.99"), Decimal("0.07")] * 25
    for amount in amounts:
        entry(str(amount), on=DAY)
    figure = catalogue.turnover(**YEAR)
    assert figure.value == sum(amounts) == sum(row.amount_total for row in figure.rows)
    assert catalogue.year_sums(area="150600", years=[2026], basis="output") == {2026: figure.value}


def test_a_later_cancellation_is_a_negative_of_its_own_year_and_the_past_keeps_its_figure():
    first = entry("900000", on=dt.date(2025, 6, 1))
    entry("-900000", on=DAY, kind="change_out", registration=first.registration)
    entry("700000", on=DAY, kind="change_in", registration=first.registration)
    last = catalogue.turnover(start=dt.date(2025, 1, 1), end=dt.date(2025, 12, 31))
    now = catalogue.turnover(**YEAR)
    assert (last.value, last.count) == (Decimal(900000), 1)
    assert (now.value, now.count, now.entries) == (Decimal(-200000), 0, 2)


def test_every_breakdown_sums_to_its_head():
    for n, (seller, kind, field) in enumerate(
        [("150602", "TD1", "0605"), ("150603", "TL1", "0701"), ("150602", "TS1", "0305"), ("150622", "TD2", "0605")]
    ):
        entry(str(1000 + n), on=dt.date(2026, 1 + n, 3), seller=seller, contract_type=kind, field=field)
    figure = catalogue.turnover(**YEAR)
    for by in catalogue.DIMENSIONS:
        assert sum(g.value for g in catalogue.groups(figure, by, outsider=False)) == figure.value


def test_a_small_cell_and_the_one_that_would_betray_it_are_not_published():
    cells = [
        Group("a", Decimal(1), Decimal(1), 1, 1),
        Group("b", Decimal(5), Decimal(5), 4, 4),
        Group("c", Decimal(9), Decimal(9), 9, 9),
    ]
    suppress(cells)
    assert [(g.key, g.suppressed) for g in cells] == [("a", True), ("b", True), ("c", False)]
    assert cells[0].value is None
    assert cells[1].count is None


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=1, max_size=12))
def test_hidden_cells_never_stand_alone_where_another_could_join_them(counts):
    cells = [Group(str(i), Decimal(c), Decimal(c), c, min(c, s)) for i, (c, s) in enumerate(counts)]
    before = {g.key: (g.count, g.sellers) for g in cells}
    suppress(cells)
    hidden = [before[g.key] for g in cells if g.suppressed]
    shown = [before[g.key] for g in cells if not g.suppressed]
    assert all(c >= catalogue.LEAST and s >= catalogue.LEAST for c, s in shown)
    if hidden and shown:
        assert len(hidden) > 1
        assert sum(c for c, _s in hidden) >= catalogue.LEAST


def test_the_command_prints_rows_that_sum_to_the_value():
    entry("1234567.89", on=DAY, tech="1000000.01")
    entry("0.11", on=DAY)
    out = StringIO()
    call_command("indicator", "turnover", "--from", "2026-01-01", "--to", "2026-12-31", "--rows", "--json", stdout=out)
    body = json.loads(out.getvalue().strip().splitlines()[-1])
    assert body["value"] == "1234568.00"
    assert sum(Decimal(r["amount_total"]) for r in body["rows"]) == Decimal(body["value"])
    assert (body["count"], body["entries"], body["unit"], body["basis"]) == (2, 2, "CNY", "output")
    assert set(body["rows"][0]) == {"sequence", "entered_on", "kind", "number", "amount_total", "amount_tech"}


@pytest.mark.parametrize("area", ["15060X", "鄂尔多斯"])
def test_the_command_refuses_what_is_no_area(area):
    with pytest.raises(SystemExit) as stopped:
        call_command(
            "indicator", "turnover", "--area", area, "--from", "2026-01-01", "--to", "2026-12-31", stderr=StringIO()
        )
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    "sql", ["UPDATE contracts_turnoverentry SET amount_total = 1", "DELETE FROM contracts_turnoverentry"]
)
def test_the_ledger_refuses_update_and_delete(sql):
    entry("500", on=DAY)
    with (
        pytest.raises(IntegrityError, match="never changed or removed"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    assert catalogue.turnover(**YEAR).value == Decimal(500)


@pytest.mark.parametrize(
    "sql",
    ["UPDATE contracts_turnoverentry SET amount_total = 1, amount_tech = 1", "DELETE FROM contracts_turnoverentry"],
)
def test_without_the_guard_the_same_attack_succeeds(sql):
    """Negative control: it is the trigger that stops it, nothing else."""
    from marketplace import guards

    entry("500", on=DAY)
    ledger = [g for g in guards.registered() if g.model is TurnoverEntry]
    guards.remove(only=ledger)
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
        assert catalogue.turnover(**YEAR).value != Decimal(500)
    finally:
        guards.install(only=ledger)


def test_a_cell_that_the_breakdown_blanks_cannot_be_asked_for_by_itself():
    """Else the total minus it gives the small cell away: A 1 contract, B 4 blanked with it, C stays."""
    entry("500", on=DAY, seller="150625", consents=True)
    for region, count in (("150621", 4), ("150602", 9)):
        for _n in range(count):
            entry("100", on=DAY, seller=region, consents=True)
    asked = {a: catalogue.turnover(area=a, **YEAR) for a in ("150625", "150621", "150602", "150600")}
    assert {a: catalogue.is_too_small(f) for a, f in asked.items()} == {
        "150625": True,
        "150621": True,
        "150602": False,
        "150600": False,
    }


def test_a_wider_area_does_not_tell_of_one_firm_outside_the_city():
    for region in ("150602", "150603", "150622", "150627"):
        entry("100", on=DAY, seller=region, consents=True)
    entry("900", on=DAY, seller="150100", consents=True)
    assert catalogue.is_too_small(catalogue.turnover(area="150000", **YEAR))


def test_one_amount_that_is_not_public_is_not_told_by_subtraction():
    for n in range(8):
        entry("100", on=DAY, seller="150602", contract_type="TD1", consents=n > 0)
    for _n in range(8):
        entry("100", on=DAY, seller="150603", contract_type="TS1", consents=True)
    narrowed = catalogue.turnover(area="150602", **YEAR)
    assert narrowed.withheld == 1
    assert catalogue.is_too_small(narrowed)
    assert all(g.suppressed for g in catalogue.groups(catalogue.turnover(**YEAR), "type", outsider=True))
