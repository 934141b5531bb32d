"""/api/v1/: shapes, pages, OR and AND, errors in one form, and nothing that the pages would not show."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from marketplace.deals.models import Match
from tests.deals.factories import sides
from tests.factories import OrganizationFactory, kpi, member, patent, target
from tests.library.factories import FACTORIES, index, published

pytestmark = pytest.mark.django_db

ROW = {"number", "title", "summary", "url", "updated_at"}


@pytest.mark.parametrize("kind", FACTORIES)
def test_a_list_gives_rows_and_a_detail_every_public_text(client, engine, kind):
    listing = published(kind, body="全部公开的正文")
    index()
    body = client.get(f"/api/v1/{kind}s/").json()
    assert (body["count"], body["next"], body["previous"]) == (1, None, None)
    assert body["results"][0].keys() >= ROW
    assert body["results"][0]["url"].endswith(listing.get_absolute_url())
    detail = client.get(f"/api/v1/{kind}s/{listing.record.number}/").json()
    assert detail["body"] == "全部公开的正文"
    assert detail["restricted"] is False


def test_figures_are_text_and_amounts_have_two_decimals(client, engine):
    listing = published(
        "achievement", price_min=Decimal(1_200_000), kpis=[kpi(value="0.80")], patents=[patent(title="一种方法")]
    )
    body = client.get(f"/api/v1/achievements/{listing.record.number}/").json()
    assert body["price_min"] == "1200000.00"
    assert body["kpis"][0]["value"] == "0.8"
    assert body["patents"][0]["title"] == "一种方法"
    need = published("demand", targets=[target(value="1000")])
    assert client.get(f"/api/v1/demands/{need.record.number}/").json()["targets"][0]["value"] == "1000"


def test_a_repeated_parameter_is_or_and_different_ones_are_and(client, engine):
    for field, region in (("0701", "150602"), ("0605", "150602"), ("0506", "150100")):
        published("achievement", technology_field_id=field, region_id=region)
    index()
    address = "/api/v1/achievements/"
    assert client.get(f"{address}?technology_field=07&technology_field=0605").json()["count"] == 2
    assert client.get(f"{address}?technology_field=07&technology_field=05&region=1506").json()["count"] == 1


def test_pages_hold_at_most_a_hundred_and_lead_on(client, engine):
    for _n in range(5):
        published("expert")
    index()
    first = client.get("/api/v1/experts/?page_size=2").json()
    assert len(first["results"]) == 2
    second = client.get(first["next"]).json()
    assert second["previous"]
    numbers = [row["number"] for page in (first, second) for row in page["results"]]
    assert len(set(numbers)) == 4
    assert len(client.get("/api/v1/experts/?page_size=5000").json()["results"]) == 5


@pytest.mark.parametrize(
    ("address", "status", "field"),
    [
        ("/api/v1/achievements/?region=abc", 400, "region"),
        ("/api/v1/achievements/?trl_min=x", 400, "trl_min"),
        ("/api/v1/achievements/?ordering=nonsense", 400, "ordering"),
        ("/api/v1/achievements/?page=x", 400, "page"),
        ("/api/v1/achievements/?page=9", 404, ""),
        ("/api/v1/achievements/?page=900000", 404, ""),
        ("/api/v1/search/", 400, "q"),
        ("/api/v1/search/?q=a&kind=agency", 400, "kind"),
        ("/api/v1/achievements/CG-2026-000000/", 404, ""),
        ("/api/v1/nothing/", 404, ""),
    ],
)
def test_errors_have_one_form(client, engine, address, status, field):
    index()
    response = client.get(address)
    assert response.status_code == status
    assert response["Content-Type"].startswith("application/problem+json")
    body = response.json()
    assert body.keys() >= {"type", "title", "status", "detail", "errors"}
    assert body["status"] == status
    assert [e["field"] for e in body["errors"]] == ([field] if field else [])


def test_search_counts_kinds_and_marks_hits(client, engine):
    published("achievement", title="高盐废水除氟装置", summary="把氟降下来")
    published("demand", title="求除氟技术")
    published("expert", title="无关的人", summary="无关")
    index()
    body = client.get("/api/v1/search/?q=除氟").json()
    assert body["counts"] == {"achievement": 1, "demand": 1, "expert": 0, "project": 0}
    for row in body["results"]:
        for mark in row["highlights"]:
            assert mark["field"] in ("title", "summary")
        title_marks = [m for m in row["highlights"] if m["field"] == "title"]
        assert [row["title"][m["start"] : m["end"]] for m in title_marks] == ["除氟"]
        assert row["score"] > 0
    assert client.get("/api/v1/search/?q=除氟&kind=demand").json()["count"] == 1


def test_a_drafts_owner_finds_it_on_the_site_and_not_in_the_api(client, engine):
    owner = OrganizationFactory()
    draft = FACTORIES["achievement"](owner=owner)
    index()
    client.force_login(member(owner))
    assert client.get(draft.get_absolute_url()).status_code == 200
    assert client.get(f"/api/v1/achievements/{draft.record.number}/").status_code == 404
    assert client.get("/api/v1/achievements/").json()["count"] == 0


def keep_match(of, **changes):
    return Match.objects.create(
        **{
            "demand": of.need,
            "supply": of.supply,
            "demand_version": 1,
            "supply_version": 1,
            "score": 3.5,
            "rank_for_demand": 1,
            "rank_for_supply": 2,
            "parts": {"lexical": 3.5},
            "band": "strong",
            "reasons": {
                "phrases": [{"text": "除氟", "weight": 2.0, "in": {"demand": [], "achievement": []}}],
                "conditions": [{"name": "预算", "state": "met", "detail": "成果 120 万元"}],
                "meaning": "",
            },
            "versions": {"weights": 1},
            **changes,
        }
    )


def test_matches_come_with_parts_reasons_and_versions(client):
    of = sides()
    keep_match(of)
    body = client.get(f"/api/v1/demands/{of.need.number}/matches/").json()
    row = body["results"][0]
    assert (row["rank"], row["kind"], row["number"], row["band"]) == (1, "achievement", of.supply.number, "strong")
    assert sum(row["parts"].values()) == row["score"]
    assert row["reasons"]["phrases"][0]["text"] == "除氟"
    assert row["reasons"]["conditions"][0]["state"] == "met"
    other = client.get(f"/api/v1/achievements/{of.supply.number}/matches/").json()["results"][0]
    assert (other["rank"], other["kind"], other["number"]) == (2, "demand", of.need.number)


def test_matches_of_a_hidden_side_are_for_the_entitled(client):
    of = sides(achievement={"matchmaker_only": True})
    keep_match(of)
    assert client.get(f"/api/v1/demands/{of.need.number}/matches/").json()["count"] == 0
    assert client.get(f"/api/v1/achievements/{of.supply.number}/matches/").status_code == 404
    client.force_login(of.seller)
    assert client.get(f"/api/v1/achievements/{of.supply.number}/matches/").json()["count"] == 1


def test_no_answer_of_the_api_holds_an_address_or_a_phone_number(client, engine):
    for kind in FACTORIES:
        published(kind, contact_email="geheim@example.org", contact_phone="0477-9999999")
    index()
    for kind in FACTORIES:
        listed = client.get(f"/api/v1/{kind}s/").json()
        detail = client.get(f"/api/v1/{kind}s/{listed['results'][0]['number']}/").json()
        text = json.dumps([listed, detail])
        assert "geheim" not in text
        assert "9999999" not in text
        assert "contact" not in text


def test_the_schema_names_every_path_and_the_page_runs_without_inline_code(client):
    schema = client.get("/api/schema/?format=json").json()
    paths = set(schema["paths"])
    wanted = {f"/api/v1/{kind}s/" for kind in FACTORIES} | {f"/api/v1/{kind}s/{{number}}/" for kind in FACTORIES}
    wanted |= {"/api/v1/search/", "/api/v1/registry/", "/api/v1/verify/{code}/", "/api/v1/indicators/"}
    wanted |= {"/api/v1/indicators/turnover/", "/api/v1/indicators/turnover/rows/"}
    wanted |= {"/api/v1/demands/{number}/matches/", "/api/v1/achievements/{number}/matches/"}
    assert paths == wanted
    page = client.get("/api/docs/")
    text = page.content.decode()
    assert "<style" not in text
    assert "<script>" not in text
    assert "unsafe" not in page.get("Content-Security-Policy", "")
    assert client.get("/api/docs/?script=").headers["Content-Type"].startswith("application/javascript")


def test_a_visitor_is_held_to_so_many_requests_a_minute(client, engine, monkeypatch):
    from django.core.cache import cache

    from marketplace.api.throttling import AnonymousReading

    cache.clear()
    monkeypatch.setattr(AnonymousReading, "get_rate", lambda self: "3/min")
    answers = [client.get("/api/v1/experts/") for _n in range(4)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert int(answers[-1]["Retry-After"]) > 0
    assert answers[-1].json()["status"] == 429
    cache.clear()
