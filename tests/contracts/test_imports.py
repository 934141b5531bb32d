"""A register that others kept comes in whole: fast, once, with its faults named."""

from __future__ import annotations

import datetime as dt
import time
from decimal import Decimal

import pytest
from django.db.models import Max, Sum

from marketplace.contracts.imports import import_registered
from marketplace.contracts.models import Registration, TurnoverEntry
from tests.contracts.factories import Scene
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def row(n: int, **changes):
    return {
        "number": f"2024150601{n:06d}",
        "contract_type": ("TD1", "TT1", "TL1", "TC0", "TS1")[n % 5],
        "technology_field": "0601",
        "seller_region": "150602",
        "buyer_region": "150622",
        "amount_total": Decimal(1000000 + n),
        "amount_tech": Decimal(900000),
        "registered_on": dt.date(2024, 1, 1) + dt.timedelta(days=n % 366),
        "seller_name": f"测试卖方{n}",
        **changes,
    }


def test_thirteen_hundred_rows_come_in_within_seconds_and_twice_is_once():
    rows = [row(n) for n in range(1, 1301)]
    started = time.monotonic()
    first = import_registered(rows, source_file="2024 年登记簿.csv", by=UserFactory())
    assert time.monotonic() - started < 20
    assert (first.created, first.known, first.errors) == (1300, 0, [])
    sums = TurnoverEntry.objects.aggregate(total=Sum("amount_total"), top=Max("sequence"))
    assert sums == {"total": 1300 * 1000000 + sum(range(1, 1301)), "top": 1300}
    again = import_registered(rows, source_file="2024 年登记簿.csv", by=None)
    assert (again.created, again.known) == (0, 1300)
    assert TurnoverEntry.objects.count() == 1300


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"contract_type": "XX"}, "contract_type"),
        ({"technology_field": "9999"}, "technology_field"),
        ({"seller_region": "000000"}, "seller_region"),
        ({"amount_total": "一百万"}, "amount_total"),
        ({"amount_total": "0"}, "amount_total"),
        ({"amount_total": "NaN"}, "amount_total"),
        ({"amount_total": "Infinity"}, "amount_total"),
        ({"amount_total": "1e16"}, "amount_total"),
        ({"amount_total": "1000000.005"}, "amount_total"),
        ({"amount_tech": "99999999"}, "amount_tech"),
        ({"registered_on": "2024-02-30"}, "registered_on"),
        ({"registered_on": "2999-01-01"}, "registered_on"),
        ({"number": ""}, "number"),
        ({"number": "2024150601000001"}, "number"),
    ],
)
def test_a_faulty_row_is_named_and_the_sound_ones_come_in(changes, field):
    result = import_registered([row(1), row(2, **changes)], source_file="a.csv", by=None)
    assert result.created == 1
    assert [(line, name) for line, name, _text in result.errors] == [(2, field)]


def test_entries_of_an_import_follow_those_that_stand_in_the_ledger():
    Scene().recognised()
    import_registered([row(1), row(2)], source_file="a.csv", by=None)
    assert list(TurnoverEntry.objects.values_list("sequence", flat=True)) == [1, 2, 3]


def test_outsiders_see_an_imported_row_without_names_and_amounts(client):
    import_registered([row(7, project_name="某项目", seller_name="某卖方")], source_file="a.csv", by=None)
    number = Registration.objects.get().registration_number
    page = client.get(f"/registry/{number}/").content.decode()
    assert "导入" in page
    assert "某项目" not in page
    assert "某卖方" not in page
    assert "1,000,007" not in page


def test_sellers_that_nobody_named_count_as_one():
    import_registered([row(1, seller_name=""), row(2, seller_name=""), row(3)], source_file="a.csv", by=None)
    assert len(set(TurnoverEntry.objects.values_list("seller_key", flat=True))) == 2
