"""registry/, verify/, indicators/: consent decides what outsiders read, and a figure is the sum of its rows."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from marketplace.accounts.models import User
from tests.contracts.factories import Scene
from tests.indicators.factories import entry

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate


def test_the_register_withholds_what_was_not_consented(client):
    scene = Scene()
    shy = scene.recognised()
    frank = scene.recognised(consents_to_name=True, consents_to_amount=True)
    rows = {row["number"]: row for row in client.get("/api/v1/registry/").json()["results"]}
    quiet, spoken = rows[shy.registration_number], rows[frank.registration_number]
    for name in ("project_name", "amount_total", "amount_tech", "sellers", "buyers"):
        assert quiet[name] is None
    assert quiet["contract_type"] == "TD1"
    assert quiet["seller_region"] == "150603"
    assert spoken["project_name"] == frank.contract.project_name
    assert spoken["amount_total"] == "1200000.00"
    assert spoken["sellers"] == [scene.seller.name]
    client.force_login(User.objects.get(pk=scene.applicant.pk))
    own = {row["number"]: row for row in client.get("/api/v1/registry/").json()["results"]}
    assert own[shy.registration_number]["amount_total"] == "1200000.00"


def test_the_register_narrows_by_the_pages_filters(client):
    entry(on=TODAY(), contract_type="TD1", field="0605")
    entry(on=TODAY(), contract_type="TS1", field="0701")
    assert client.get("/api/v1/registry/?contract_type=TD").json()["count"] == 1
    assert client.get("/api/v1/registry/?technology_field=07&technology_field=06").json()["count"] == 2
    assert client.get("/api/v1/registry/?source=own").json()["count"] == 0


def test_a_certificate_is_checked_by_its_code(client):
    registration = Scene().recognised()
    code = registration.certificate.code
    body = client.get(f"/api/v1/verify/{code.lower()}/").json()
    assert body["status"] == "valid"
    assert registration.registration_number in [line["text"] for line in body["printed"]]
    assert client.get("/api/v1/verify/0000-0000-0000/").status_code == 404


def test_the_turnover_is_the_sum_of_its_rows(client):
    for amount in ("1000000.10", "2000000.20", "3000000.30"):
        entry(amount, on=TODAY(), consents=True)
    figure = client.get("/api/v1/indicators/turnover/").json()
    rows = client.get(figure["rows"]).json()["results"]
    assert figure["value"] == "6000000.60"
    assert sum(Decimal(row["amount_total"]) for row in rows) == Decimal(figure["value"])
    assert (figure["count"], figure["entries"], figure["unit"]) == (3, 3, "CNY")
    assert client.get("/api/v1/indicators/").json()["results"][0]["value"] == "6000000.60"


def test_amounts_of_rows_are_shown_with_consent_alone(client):
    entry("1000000", on=TODAY())
    entry("2000000", on=TODAY(), consents=True)
    rows = client.get("/api/v1/indicators/turnover/rows/").json()["results"]
    assert sorted(str(row["amount_total"]) for row in rows) == ["2000000.00", "None"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-01-02&to=2026-01-31", "from"),
        ("from=2026-01-01&to=2026-01-15", "from"),
        ("from=2026-02-01&to=2026-01-31", "to"),
        ("from=gestern", "from"),
        ("area=abc", "area"),
        ("area=1506000", "area"),
        ("basis=guess", "basis"),
        ("by=person", "by"),
    ],
)
def test_outsiders_get_whole_months_and_a_wrong_question_is_named(client, query, field):
    response = client.get(f"/api/v1/indicators/turnover/?{query}")
    assert response.status_code == 400
    assert [e["field"] for e in response.json()["errors"]] == [field]


def test_an_officer_may_ask_for_days(client):
    scene = Scene()
    client.force_login(scene.first)
    day = TODAY() - dt.timedelta(days=1)
    assert client.get(f"/api/v1/indicators/turnover/?from={day}&to={day}").status_code == 200


def test_small_groups_are_suppressed_and_the_citys_total_is_not(client):
    for n in range(5):
        entry("1000000", on=TODAY(), field="0605", seller="150602")
        if n < 2:
            entry("5000000", on=TODAY(), field="0701", seller="150603")
            entry("5000000", on=TODAY(), field="0901", seller="150621")
    body = client.get("/api/v1/indicators/turnover/?by=field").json()
    assert body["value"] == "25000000.00"
    groups = {g["key"]: g for g in body["groups"]}
    assert groups["07"]["value"] is None
    assert groups["07"]["suppressed"] is True
    assert groups["06"]["value"] == "5000000.00"
    banner = client.get("/api/v1/indicators/turnover/?area=150603&by=field").json()
    assert banner["value"] is None
    assert banner["suppressed"] is True
    assert banner["groups"] == []
    assert client.get("/api/v1/indicators/turnover/rows/?area=150603").status_code == 400
