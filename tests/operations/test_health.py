"""healthz says that the process lives, readyz what is still missing."""

from __future__ import annotations

import pytest

from cms.models import ListingRecord
from marketplace import guards
from marketplace.deals.models import MatchDue
from marketplace.deals.suggesting import TRIES
from marketplace.demo.models import DemoLoad
from search import changes
from search.engines import close_engine
from search.models import SearchChange
from tests.factories import DemandFactory, RecordFactory, UserFactory
from tests.search.markets import fresh_market

pytestmark = pytest.mark.django_db


@pytest.fixture
def index(settings, tmp_path, monkeypatch):
    """A sound index of an empty market; what tasks lack is asked elsewhere (test_heartbeat)."""
    settings.REDIS_URL = ""
    with fresh_market(settings, tmp_path, monkeypatch):
        changes.rebuild()
        yield


def test_healthz_answers_without_asking_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_readyz_is_200_when_nothing_is_missing(client, index):
    response = client.get("/readyz")
    assert (response.status_code, response.json()) == (200, {"ready": True, "state": "ready", "missing": []})
    assert "no-store" in response["Cache-Control"]


def test_readyz_names_what_is_missing_and_tells_details_to_staff_alone(client, index):
    DemandFactory(published=True)
    MatchDue.objects.get_or_create(record=ListingRecord.objects.get(), defaults={"search_version": 1})
    with changes.without_nudges():
        changes.record(kind="demand", key="XQ-2026-000000", version=1)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "state": "degraded", "missing": ["search_changes", "matches"]}
    client.force_login(UserFactory(administrator=True))
    assert "等待匹配" in client.get("/readyz").json()["details"]["matches"]


def test_without_the_engine_the_site_is_degraded_and_not_down(client, index, settings):
    close_engine()
    settings.SEARCH_URL = "http://127.0.0.1:9"
    assert client.get("/readyz").json() == {"ready": False, "state": "degraded", "missing": ["index"]}
    settings.DEMO = True
    assert client.get("/readyz").json()["state"] == "down"


def test_readyz_waits_for_the_demo_under_demo_alone(client, index, settings):
    settings.DEMO = True
    assert client.get("/readyz").json()["missing"] == ["demo"]
    DemoLoad.objects.create(seed=1, day="2026-11-24")
    assert client.get("/readyz").status_code == 200


def test_a_parked_change_or_match_does_not_keep_the_site_unready_for_ever(client, index):
    SearchChange.objects.create(kind="demand", key="XQ-2026-000000", version=1, parked_reason="坏字符")
    record = RecordFactory(kind="demand")
    MatchDue.objects.create(record=record, search_version=1, tries=TRIES, error="坏字符")
    assert client.get("/readyz").status_code == 200


def test_readyz_sees_a_guard_that_was_taken_away(client, index):
    guards.remove(trigger="report_moves")
    assert guards.missing() == ["report_moves"]
    assert client.get("/readyz").json()["missing"] == ["guards"]
