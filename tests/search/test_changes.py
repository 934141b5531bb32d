"""From a published listing to a hit and back: rows with the transaction, drain, rebuild, reconcile, poison."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone

from cms.models import Achievement, ListingRecord
from cms.signal_handlers import announce
from search import changes, due, sources
from search.engines import EngineDown, close_engine, get_engine
from search.engines.embedded import EmbeddedEngine
from search.models import SearchAlarm, SearchChange, SearchRun
from search.query import Query
from tests.factories import AchievementFactory, DemandFactory, ExpertFactory, ProjectFactory, kpi

from .markets import fresh_market

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def market(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A market of its own, on whichever engine the run is for."""
    with fresh_market(settings, tmp_path, monkeypatch):
        yield


@pytest.fixture
def embedded(market: None, settings: Any) -> None:
    """For what only an index in a folder does."""
    close_engine()
    settings.SEARCH_URL = "embedded:"


def found(text: str = "") -> set[str]:
    return set(get_engine().find(Query(text=text, page_size=100)).ids)


class TestRows:
    def test_publishing_writes_one_row_and_a_second_change_raises_it(self) -> None:
        listing = AchievementFactory(published=True)
        row = SearchChange.objects.get()
        assert (row.kind, row.key, row.version) == ("achievement", listing.number, listing.record.search_version)
        announce(listing.record, "availability")
        again = SearchChange.objects.get()
        assert (again.pk, again.version) == (row.pk, row.version + 1)

    def test_a_draft_writes_none(self) -> None:
        AchievementFactory()
        assert not SearchChange.objects.exists()

    def test_what_rolls_back_leaves_no_row(self) -> None:
        @transaction.atomic
        def publish_and_fail() -> None:
            AchievementFactory(published=True)
            assert SearchChange.objects.exists()
            raise RuntimeError

        with pytest.raises(RuntimeError):
            publish_and_fail()
        assert not SearchChange.objects.exists()

    def test_a_new_change_unparks_a_row(self) -> None:
        changes.record(kind="achievement", key="CG-1", version=1)
        SearchChange.objects.update(tries=5, parked_reason="…")
        changes.record(kind="achievement", key="CG-1", version=2)
        row = SearchChange.objects.get()
        assert (row.version, row.tries, row.parked_reason) == (2, 0, "")


class TestDrain:
    def test_what_is_published_is_found_and_what_is_withdrawn_is_not(self) -> None:
        listing = AchievementFactory(published=True, title="氢能储运装备")
        drained = changes.drain()
        assert (drained.indexed, drained.is_busy) == (1, False)
        assert found("氢能") == {listing.number}
        listing.unpublish()
        assert changes.drain().dropped == 1
        assert found() == set()
        assert not SearchChange.objects.exists()

    def test_it_may_run_twice(self) -> None:
        AchievementFactory(published=True)
        changes.drain()
        again = changes.drain()
        assert (again.indexed, again.dropped, again.rebuilt) == (0, 0, "")

    def test_drafts_and_masked_listings_are_never_found(self) -> None:
        AchievementFactory()
        masked = AchievementFactory(published=True, matchmaker_only=True)
        changes.record(kind="achievement", key=masked.number, version=9)
        changes.drain()
        assert found() == set()

    def test_a_listing_that_becomes_masked_leaves_the_index(self) -> None:
        listing = AchievementFactory(published=True, title="氢能储运装备")
        changes.drain()
        Achievement.objects.filter(pk=listing.pk).update(disclosure_level="L3")
        announce(listing.record, "access")
        changes.drain()
        assert found() == set()

    def test_a_change_that_comes_during_the_drain_is_not_lost(self, monkeypatch: pytest.MonkeyPatch) -> None:
        listing = AchievementFactory(published=True, title="旧的名称甲乙")
        changes.drain()
        load = sources.load

        def changed_after_reading(kind: str, keys: Any) -> Any:
            loaded = load(kind, keys)
            if Achievement.objects.filter(title="旧的名称甲乙").update(title="新的名称丙丁"):
                announce(listing.record, "published")
            return loaded

        announce(listing.record, "published")
        monkeypatch.setattr(sources, "load", changed_after_reading)
        changes.drain()
        assert found("丙丁") == {listing.number}
        assert not SearchChange.objects.exists()

    def test_limit_and_deadline_leave_the_rest_waiting(self) -> None:
        changes.rebuild()
        for _ in range(3):
            AchievementFactory(published=True)
        changes.drain(until=time.monotonic() - 1)
        assert changes.waiting() == 3
        changes.drain(limit=2)
        assert changes.waiting() == 1
        assert changes.drain().indexed == 1

    def test_one_bad_row_is_parked_after_five_tries_and_the_others_go_on(self, monkeypatch: pytest.MonkeyPatch) -> None:
        changes.rebuild()
        bad, good = AchievementFactory(published=True), AchievementFactory(published=True)
        source = sources._sources["achievement"]

        def reads(row: Achievement) -> Any:
            if row.pk == bad.pk:
                raise ValueError("broken row")
            return source.to_document(row)

        monkeypatch.setitem(
            sources._sources, "achievement", sources.Source("achievement", source.queryset, reads, source.key)
        )
        for tried in range(1, changes.TRIES + 1):
            assert changes.drain().failed == 1
            assert changes.drain().failed == 0, "it rests before it is tried again"
            row = SearchChange.objects.get()
            assert row.tries == tried
            assert 0 < (row.not_before - timezone.now()).total_seconds() <= 2**tried
            SearchChange.objects.update(not_before=timezone.now())
        assert found() == {good.number}
        row = SearchChange.objects.parked().get()
        assert (row.key, "broken row" in row.parked_reason) == (bad.number, True)
        assert changes.drain().failed == 0
        assert changes.waiting() == 0

    def test_an_unknown_kind_is_removed_and_not_stuck(self) -> None:
        changes.record(kind="gone", key="XX-1", version=1)
        changes.drain()
        assert not SearchChange.objects.exists()

    @pytest.mark.usefixtures("embedded")
    def test_while_another_process_writes_the_rows_wait(self, tmp_path: Path) -> None:
        changes.drain()
        changes.rebuild()
        other = EmbeddedEngine(tmp_path / "search")
        assert other.hold()
        AchievementFactory(published=True)
        assert changes.drain().is_busy
        assert changes.sweep().is_busy
        assert changes.waiting() == 1
        other.close()
        assert changes.drain().indexed == 1

    @pytest.mark.usefixtures("embedded")
    def test_an_engine_that_is_down_loses_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        changes.rebuild()
        listing = AchievementFactory(published=True)

        def fails(self: Any, given: Any) -> dict[str, str]:
            raise EngineDown("disk full")

        with monkeypatch.context() as patch:
            patch.setattr(EmbeddedEngine, "put", fails)
            patch.setattr(EmbeddedEngine, "drop", fails)
            assert changes.sweep().down == "disk full"
            changes.nudge()
        assert (changes.waiting(), SearchChange.objects.get().tries) == (1, 0)
        changes.drain()
        assert found() == {listing.number}

    def test_is_settled_and_waiting(self) -> None:
        listing = AchievementFactory(published=True)
        assert (changes.is_settled(listing.number), changes.waiting()) == (False, 1)
        changes.drain()
        assert (changes.is_settled(listing.number), changes.waiting()) == (True, 0)


@pytest.mark.django_db(transaction=True)
class TestAfterCommit:
    def test_published_is_findable_within_a_second(self) -> None:
        changes.rebuild()
        began = time.perf_counter()
        listing = AchievementFactory(published=True, title="氢能储运装备")
        assert found("氢能") == {listing.number}
        assert time.perf_counter() - began < 1
        assert not SearchChange.objects.exists()

    def test_bulk_intake_drains_once_at_the_end(self) -> None:
        changes.rebuild()
        with changes.without_nudges():
            AchievementFactory(published=True)
        assert changes.waiting() == 1

    def test_a_nudge_never_rebuilds_in_somebodys_request(self) -> None:
        AchievementFactory(published=True)
        assert changes.waiting() == 1
        assert get_engine().needs_rebuild()


class TestRebuild:
    def test_a_missing_index_is_made_from_the_database_by_the_next_drain(self) -> None:
        listings = [AchievementFactory(published=True), DemandFactory(published=True), ExpertFactory(published=True)]
        SearchChange.objects.all().delete()
        with pytest.raises(EngineDown):
            found()
        assert changes.drain().rebuilt
        assert found() == {listing.number for listing in listings}

    @pytest.mark.usefixtures("embedded")
    def test_a_damaged_index_is_made_anew_by_itself_but_not_again_and_again(self, tmp_path: Path) -> None:
        listing = AchievementFactory(published=True, title="氢能储运装备")
        changes.drain()
        changes._last_rebuild = None
        close_engine()

        def damage() -> None:
            for path in (tmp_path / "search").glob("g*/*.term"):
                path.write_bytes(path.read_bytes()[:10])
            close_engine()

        damage()
        with pytest.raises(EngineDown):
            found("氢能")
        assert "damaged" in changes.sweep().rebuilt
        assert found("氢能") == {listing.number}
        damage()
        assert "less than a minute ago" in changes.sweep().down

    @pytest.mark.usefixtures("embedded")
    def test_a_command_asks_the_site_to_rebuild(self, tmp_path: Path) -> None:
        listing = AchievementFactory(published=True)
        changes.drain()
        changes.ask_for_rebuild()
        changes.ask_for_rebuild()
        assert changes.waiting() == 1
        before = (tmp_path / "search" / "CURRENT").read_text()
        assert changes.sweep().rebuilt == "asked for"
        assert (tmp_path / "search" / "CURRENT").read_text() != before
        assert (found(), changes.waiting()) == ({listing.number}, 0)

    def test_everything_is_read_in_a_fixed_number_of_queries_a_chunk(self, django_assert_max_num_queries: Any) -> None:
        for _ in range(6):
            AchievementFactory(published=True, kpis=[kpi()], industries=["26"], transfer_modes=["M1"])
            ProjectFactory(published=True)
        with django_assert_max_num_queries(30):
            assert len(list(sources.everything({}))) == 12


class TestReconcile:
    def test_it_finds_what_is_missing_extra_and_stale_and_repairs_it(self) -> None:
        kept, lost, old = (AchievementFactory(published=True) for _ in range(3))
        changes.drain()
        engine = get_engine()
        engine.drop([(lost.number, lost.record.search_version)])
        engine.put([*sources.load("demand", []).documents.values()])
        from .factories import document

        engine.put([document("不在库里", id="CG-2026-ZZZZZZ")])
        ListingRecord.objects.filter(pk=old.record.pk).update(search_version=99)
        drift = changes.reconcile()
        assert (drift.missing, drift.extra, drift.stale) == ((lost.number,), ("CG-2026-ZZZZZZ",), (old.number,))
        assert changes.waiting() == 0
        changes.reconcile(repair=True)
        changes.drain()
        assert not changes.reconcile()
        assert found() == {kept.number, lost.number, old.number}

    def test_what_waits_is_not_drift(self) -> None:
        AchievementFactory(published=True)
        changes.drain()
        AchievementFactory(published=True)
        assert not changes.reconcile()

    def test_the_clock_reconciles_once_a_night(self) -> None:
        listing = AchievementFactory(published=True)
        with time_machine.travel("2026-11-24T03:30:00+08:00", tick=True) as clock:
            assert due.run()["drifted"] == 0
            get_engine().drop([(listing.number, 99)])
            clock.move_to("2026-11-25T02:30:00+08:00")
            assert due.run()["drifted"] == 0
            clock.move_to("2026-11-25T03:30:00+08:00")
            assert due.run()["drifted"] == 1
            due.run()
        assert found() == {listing.number}
        assert list(SearchRun.objects.filter(kind="reconcile").values_list("period", "outcome", "missing")) == [
            ("2026-11-25", "done", 1),
            ("2026-11-24", "done", 0),
        ]
        assert SearchAlarm.objects.get().kind == "drift"


def run(command: str, **options: Any) -> str:
    out = StringIO()
    call_command(command, stdout=out, **options)
    return out.getvalue()


class TestCommands:
    def test_drain_status_rebuild(self) -> None:
        with pytest.raises(CommandError) as stopped:
            run("search_status")
        assert stopped.value.returncode == 1
        AchievementFactory(published=True)
        assert "等待 0 条" in run("search_drain")
        state = json.loads(run("search_status", json=True).splitlines()[-1])
        assert (state["state"], state["documents"], state["waiting"], state["parked"]) == ("ok", 1, {}, [])
        assert "1 条" in run("search_rebuild")

    def test_status_counts_what_waits(self) -> None:
        changes.rebuild()
        AchievementFactory(published=True)
        state = json.loads(run("search_status", json=True).splitlines()[-1])
        assert state["waiting"] == {"achievement": 1}
        assert state["oldest_waiting_seconds"] >= 0

    def test_a_parked_row_is_a_fault(self) -> None:
        changes.rebuild()
        SearchChange.objects.create(
            kind="achievement", key="CG-1", version=1, tries=5, parked_reason="坏", created_at=timezone.now()
        )
        for command in ("search_status", "search_drain"):
            with pytest.raises(CommandError) as stopped:
                run(command)
            assert stopped.value.returncode == 1

    @pytest.mark.usefixtures("embedded")
    def test_with_the_site_running_a_command_waits_and_says_so(self, tmp_path: Path) -> None:
        changes.rebuild()
        AchievementFactory(published=True)
        site = EmbeddedEngine(tmp_path / "search")
        site.hold()
        for command in ("search_drain", "search_rebuild"):
            with pytest.raises(CommandError) as stopped:
                run(command, timeout=0.3)
            assert stopped.value.returncode == 1
        assert changes.waiting() == 2
        site.close()

    def test_an_engine_that_does_not_exist_ends_with_2(self, settings: Any) -> None:
        settings.SEARCH_URL = "sphinx://search"
        for command in ("search_drain", "search_rebuild", "search_status", "search_reconcile"):
            with pytest.raises(CommandError) as stopped:
                run(command)
            assert stopped.value.returncode == 2
