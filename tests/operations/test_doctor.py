"""The doctor finds what is wrong and names the cure; nothing wrong is exit 0."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from django.core.management import call_command
from django.utils import timezone

from marketplace import guards
from marketplace.deals.models import MatchDue
from marketplace.deals.suggesting import TRIES
from marketplace.jobs.models import Job
from marketplace.operations import diagnosis, startup
from search import changes
from search.engines import close_engine
from search.models import SearchAlarm, SearchChange
from tests.factories import DemandFactory, RecordFactory, UserFactory
from tests.search.markets import fresh_market

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def sound(settings, tmp_path, monkeypatch):
    """An installation with nothing wrong: index, collected static files, a public address."""
    settings.REDIS_URL = ""  # what tasks lack is asked in test_heartbeat
    settings.MEDIA_ROOT, settings.PRIVATE_ROOT = tmp_path / "media", tmp_path / "private"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.SITE_URL = "http://market.example.org"
    settings.STATIC_ROOT.mkdir()
    (settings.STATIC_ROOT / "stamp").write_text(startup.static_stamp())
    with fresh_market(settings, tmp_path, monkeypatch):
        changes.rebuild()
        yield


def names() -> list[str]:
    return [finding.name for finding in diagnosis.findings()]


def test_a_sound_installation_is_well(capsys):
    assert diagnosis.findings() == []
    call_command("doctor")
    assert "没有发现问题" in capsys.readouterr().out


def test_a_guard_that_was_taken_away_is_found_and_the_cure_works(capsys):
    guards.remove(trigger="report_moves")
    with pytest.raises(SystemExit) as stop:
        call_command("doctor", "--json")
    assert stop.value.code == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert [(f["name"], "report_moves" in f["what"]) for f in last["findings"]] == [("guards", True)]
    assert startup.put_guards() == ["report_moves"]
    assert guards.missing() == []
    assert names() == []


def test_a_listing_that_never_reached_the_index_is_found():
    DemandFactory(published=True)
    SearchChange.objects.all().delete()
    assert "drift" in names()


def test_changes_that_nobody_takes_in_and_parked_ones_are_found():
    old = timezone.now() - dt.timedelta(minutes=10)
    SearchChange.objects.create(kind="demand", key="XQ-2026-000001", version=1, created_at=old)
    SearchChange.objects.create(kind="demand", key="XQ-2026-000002", version=1, parked_reason="坏字符")
    assert {"drain", "parked"} <= set(names())


def test_a_match_that_failed_too_often_and_an_open_alarm_are_found():
    MatchDue.objects.create(record=RecordFactory(kind="demand"), search_version=1, tries=TRIES, error="坏字符")
    SearchAlarm.objects.create(kind="hidden_hit", key="XQ-2026-000001", place="search")
    SearchAlarm.objects.create(kind="hidden_hit", key="XQ-2026-000002", place="search", is_lag=True)
    found = {finding.name: finding for finding in diagnosis.findings()}
    assert found.keys() == {"matches_parked", "alarms"}
    assert "坏字符" in found["matches_parked"].what
    assert "1 条告警" in found["alarms"].what


def test_an_engine_that_does_not_answer_is_found_with_its_cure(settings):
    close_engine()
    settings.SEARCH_URL = "http://127.0.0.1:9"
    found = {finding.name: finding for finding in diagnosis.findings()}
    assert found.keys() == {"index"}
    assert "Elasticsearch 在运行" in found["index"].cure


def test_a_job_without_a_process_is_found():
    long_ago = timezone.now() - dt.timedelta(hours=1)
    Job.objects.create(kind="x", title="x", by=UserFactory(), state="running", beat_at=long_ago)
    assert names() == ["jobs"]


def test_a_key_that_others_may_read_is_found(settings):
    key = settings.DATA_DIR / "secret_key"
    key.write_text("x" * 64)
    key.chmod(0o644)
    assert names() == ["key"]
    key.chmod(0o600)
    assert names() == []


def test_static_files_of_another_version_are_found(settings):
    (settings.STATIC_ROOT / "stamp").write_text("older")
    assert names() == ["static"]


def test_an_address_that_nobody_else_can_open_is_found(settings):
    settings.SITE_URL = "http://127.0.0.1:8000"
    assert names() == ["site_url"]
    settings.DEMO = True
    assert names() == []


def test_a_pending_migration_hides_what_it_would_make_fail(monkeypatch):
    monkeypatch.setattr(startup, "pending_migrations", lambda: ["cms.9999_next"])
    assert names() == ["migrations"]
