"""What outsiders and insiders read on the public figures."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal

import pytest
from django.utils import timezone

from marketplace.indicators.models import TargetSet
from tests.factories import OfficerFactory, UserFactory
from tests.indicators.factories import entry

pytestmark = pytest.mark.django_db


@pytest.fixture
def today():
    return timezone.localdate()


def test_an_empty_ledger_is_a_page_without_invented_numbers(client):
    for address in ("/indicators/", "/indicators/turnover/", "/indicators/turnover/rows/"):
        assert client.get(address).status_code == 200


def test_the_page_says_that_the_plan_is_over_until_an_operator_sets_another(client, today):
    entry("300000000", on=today)
    assert "下一个目标尚未下达" in client.get("/indicators/turnover/").content.decode()
    TargetSet.objects.create(
        area="150600",
        plan="试设规划",
        base_year=today.year - 1,
        base_value=Decimal(10**9),
        end_year=today.year + 4,
        end_value=Decimal(2 * 10**9),
    )
    page = client.get("/indicators/turnover/").content.decode()
    assert "下一个目标尚未下达" not in page
    assert "完成全年目标" in page


def test_the_rows_page_opens_to_registration_numbers(client, today):
    row = entry("3120000", on=today, consents=True)
    page = client.get("/indicators/turnover/rows/").content.decode()
    assert row.registration.registration_number in page
    assert "312.00" in page


def test_an_amount_without_consent_is_withheld_from_outsiders_alone(client, today):
    entry("3120000", on=today)
    for _n in range(3):
        entry("1000000", on=today, consents=True)
    outside = client.get("/indicators/turnover/rows/").content.decode()
    assert "未公开" in outside
    assert 'title="3,120,000.00 元"' not in outside
    client.force_login(OfficerFactory().user)
    assert 'title="3,120,000.00 元"' in client.get("/indicators/turnover/rows/").content.decode()


def test_csv_rows_sum_to_the_figure_for_an_insider(client, today):
    amounts = ["1234567.89", "0.11", "99999.99"]
    for amount in amounts:
        entry(amount, on=today)
    client.force_login(OfficerFactory().user)
    text = client.get("/indicators/turnover/rows.csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert sum(Decimal(r[8]) for r in rows[1:-1]) == Decimal(rows[-1][8]) == sum(map(Decimal, amounts))


def test_a_narrow_figure_that_would_name_a_firm_is_not_published(client, today):
    entry("5000000", on=today, seller="150625")
    entry("7000000", on=today, seller="150602")
    page = client.get("/indicators/turnover/?region=150625")
    assert "公布会暴露单个单位" in page.content.decode()
    assert "0.05" not in page.content.decode()
    assert client.get("/indicators/turnover/rows/?region=150625").status_code == 404
    assert client.get("/indicators/turnover/rows.csv?region=150625").status_code == 404
    client.force_login(OfficerFactory().user)
    assert client.get("/indicators/turnover/rows/?region=150625").status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "basis=x", "year=1800", "year=九", "year=²⁰²⁵", "period=m13", "period=m²", "period=m" + "1" * 4000, "type=ZZ",
        "field=abc", "field=²²", "region=1", "region=²²²²²²",
    ],
)  # fmt: skip
def test_a_choice_that_does_not_exist_is_said_in_chinese(client, query):
    response = client.get(f"/indicators/turnover/?{query}")
    assert response.status_code == 400


def test_queries_do_not_grow_with_the_rows(client, django_assert_max_num_queries, today):
    for n in range(60):
        entry(str(1000 + n), on=today - dt.timedelta(days=n % 3), seller=["150602", "150603", "150622"][n % 3])
    client.force_login(UserFactory())
    for address in ("/indicators/turnover/", "/indicators/turnover/rows/", "/indicators/"):
        with django_assert_max_num_queries(25):
            client.get(address)


def test_months_and_last_year_of_a_narrow_figure_are_not_told_where_they_name_a_firm(client, today):
    """A district with eight contracts in January, but a single one in February and one the year before."""
    year = today.year - 1
    for _n in range(8):
        for region in ("150602", "150603"):
            entry("1000000", on=dt.date(year, 1, 5), seller=region, consents=True)
    entry("3330000", on=dt.date(year, 2, 3), seller="150602", consents=True)
    entry("7770000", on=dt.date(year - 1, 6, 3), seller="150602", consents=True)
    address = f"/indicators/turnover/?region=150602&year={year}"
    page = client.get(address).content.decode()
    assert "不公布各月数" in page
    assert "上年同期数不公布" in page
    client.force_login(OfficerFactory().user)
    page = client.get(address).content.decode()
    assert "不公布各月数" not in page
    assert "上年同期数不公布" not in page


def test_the_page_takes_the_area_of_the_api_and_names_it(client, today):
    client.force_login(OfficerFactory().user)
    entry("960000", on=today, seller="410400")
    page = client.get("/indicators/turnover/?area=410400").content.decode()
    assert "平顶山市" in page
    assert 'title="960,000.00 元"' in page
    assert "全市" in client.get("/indicators/turnover/?area=150600").content.decode()
