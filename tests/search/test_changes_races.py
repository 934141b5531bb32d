"""Several drains and rebuilds at once: no row lost, none harmful twice, none stale.

Leases, faults and poison are tried on the embedded engine, taken for one with many writers, in one thread; what only
several connections can show is raced in threads on a database of its own (PostgreSQL and Elasticsearch in the full
run).
"""

from __future__ import annotations

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from cms.models import Achievement, ListingRecord
from cms.signal_handlers import announce
from search import changes, rebuilding, sources, taking
from search.engines import EngineDown, get_engine
from search.engines.embedded import EmbeddedEngine
from search.models import SearchChange, SearchRun
from search.query import Query
from tests import races
from tests.factories import AchievementFactory

from .factories import document
from .markets import fresh_market


@pytest.fixture
def market(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with fresh_market(settings, tmp_path, monkeypatch):
        yield


@pytest.fixture
def many_writers(db: None, market: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded engine, with drains that go by their leases as on a server."""
    settings.SEARCH_URL = "embedded:"
    changes.rebuild()
    monkeypatch.setattr(EmbeddedEngine, "has_one_writer", False)


def found(text: str = "") -> set[str]:
    return set(get_engine().find(Query(text=text, page_size=1000)).ids)


def take() -> taking.Taken:
    taken = taking.Taken()
    taking.take_in(get_engine(), taken)
    return taken


@pytest.mark.usefixtures("many_writers")
class TestLease:
    def test_what_another_drain_has_in_its_hands_is_left_alone_until_its_lease_ends(self) -> None:
        AchievementFactory(published=True)
        SearchChange.objects.update(leased_until=timezone.now() + dt.timedelta(seconds=20))
        assert take().indexed == 0
        assert (changes.waiting(), SearchChange.objects.leased().count()) == (1, 1)
        assert not changes.is_settled(SearchChange.objects.get().key)
        SearchChange.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))
        assert take().indexed == 1

    def test_a_newer_change_is_taken_at_once_though_a_drain_has_the_older(self) -> None:
        listing = AchievementFactory(published=True)
        SearchChange.objects.update(leased_until=timezone.now() + dt.timedelta(seconds=20))
        announce(listing.record, "published")
        assert take().indexed == 1

    def test_an_engine_that_is_down_lets_the_rows_go_untried(self, monkeypatch: pytest.MonkeyPatch) -> None:
        listing = AchievementFactory(published=True)

        def fails(self: Any, given: Any) -> Any:
            raise EngineDown("no answer")

        with monkeypatch.context() as patch:
            patch.setattr(EmbeddedEngine, "put", fails)
            patch.setattr(EmbeddedEngine, "drop", fails)
            for _ in range(7):
                with pytest.raises(EngineDown):
                    take()
        row = SearchChange.objects.get()
        assert (row.tries, row.leased_until, row.parked_reason) == (0, None, "")
        take()
        assert found() == {listing.number}

    def test_a_slow_drain_that_was_overtaken_brings_nothing_back(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """It has read the listing; another withdraws it, takes that in, and makes the index anew without tombstones."""
        listing = AchievementFactory(published=True)
        put = EmbeddedEngine.put
        slept = False

        def slowly(self: Any, documents: Any) -> Any:
            nonlocal slept
            documents = list(documents)
            if not slept:
                slept = True
                Achievement.objects.filter(pk=listing.pk).update(live=False)
                announce(listing.record, "unpublished")
                take()
                assert rebuilding.rebuild(self, "test", None, taking.Taken()) == 0
            return put(self, documents)

        monkeypatch.setattr(EmbeddedEngine, "put", slowly)
        take()
        take()
        assert found() == set()
        assert not SearchChange.objects.exists()


@pytest.mark.usefixtures("many_writers")
class TestPoison:
    def test_documents_that_break_the_batch_are_parked_and_the_others_go_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        listings = [AchievementFactory(published=True) for _ in range(12)]
        bad = {listings[2].number, listings[7].number}
        put = EmbeddedEngine.put
        calls = 0

        def chokes(self: Any, documents: Any) -> Any:
            nonlocal calls
            calls += 1
            documents = list(documents)
            if bad & {d.id for d in documents}:
                # One as a server that gives up on the request, one as a fault of the client's.
                raise EngineDown("broken pipe") if listings[2].number in {d.id for d in documents} else TypeError("x")
            return put(self, documents)

        monkeypatch.setattr(EmbeddedEngine, "put", chokes)
        taken = take()
        assert (taken.indexed, taken.failed) == (10, 2)
        assert found() == {listing.number for listing in listings} - bad
        assert calls < 20, "halved, not one by one"
        for _ in range(4):
            SearchChange.objects.update(not_before=timezone.now())
            take()
        assert {row.key for row in SearchChange.objects.parked()} == bad
        assert changes.waiting() == 0


@pytest.mark.usefixtures("many_writers")
class TestRebuild:
    def test_one_process_does_it_and_the_others_go_on(self) -> None:
        listing = AchievementFactory(published=True)
        changes.ask_for_rebuild()
        SearchChange.objects.filter(kind=changes.REBUILD).update(leased_until=timezone.now() + dt.timedelta(seconds=20))
        drained = changes.drain()
        assert (drained.rebuilt, drained.indexed) == ("", 1)
        assert found() == {listing.number}
        with pytest.raises(changes.EngineBusy):
            changes.rebuild()

    def test_a_dead_ones_rebuild_is_begun_anew(self) -> None:
        changes.ask_for_rebuild()
        SearchChange.objects.update(leased_until=timezone.now() - dt.timedelta(seconds=1))
        assert changes.drain().rebuilt == "asked for"
        assert not SearchChange.objects.exists()

    def test_one_that_slept_through_its_lease_gives_up(self, tmp_path: Path) -> None:
        AchievementFactory(published=True)
        before = (tmp_path / "search" / "CURRENT").read_text()

        def overtaken(count: int) -> None:
            SearchChange.objects.filter(kind=changes.REBUILD).update(
                leased_until=timezone.now() + dt.timedelta(seconds=50)
            )

        with pytest.raises(rebuilding.Lost):
            changes.rebuild(on_progress=overtaken)
        assert (tmp_path / "search" / "CURRENT").read_text() == before
        assert SearchRun.objects.first().outcome == "failed"
        assert SearchChange.objects.get(kind=changes.REBUILD).leased_until is not None, "the other one's lease stands"

    def test_asked_again_while_one_runs_it_is_done_once_more(self) -> None:
        AchievementFactory(published=True)
        changes.drain()
        changes.rebuild(on_progress=lambda count: changes.ask_for_rebuild())
        assert changes.drain().rebuilt == "asked for"
        assert not SearchChange.objects.exists()

    def test_one_that_fails_rests_before_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(self: Any, documents: Any) -> Any:
            raise EngineDown("disk full")

        changes.ask_for_rebuild()
        with monkeypatch.context() as patch:
            patch.setattr(EmbeddedEngine, "rebuild", fails)
            with pytest.raises(EngineDown):
                changes.drain()
        assert changes.drain().rebuilt == ""
        SearchChange.objects.update(not_before=timezone.now())
        assert changes.drain().rebuilt == "asked for"

    def test_what_cannot_be_read_has_a_row_afterwards(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bad = AchievementFactory(published=True)
        SearchChange.objects.all().delete()
        source = sources._sources["achievement"]

        def reads(row: Achievement) -> Any:
            raise ValueError("broken row")

        broken = sources.Source("achievement", source.queryset, reads, source.key, source.version)
        monkeypatch.setitem(sources._sources, "achievement", broken)
        changes.rebuild()
        assert [row.key for row in SearchChange.objects.all()] == [bad.number]
        assert not changes.reconcile()


@pytest.mark.django_db
@pytest.mark.usefixtures("market")
class TestMeanwhile:
    def test_what_is_published_during_a_rebuild_is_found_before_and_after_the_swap(self) -> None:
        first = AchievementFactory(published=True)
        changes.rebuild()
        later: list[str] = []

        def publishes(count: int) -> None:
            if later:
                # The chunk after the one in which it was taken in: the old index shows it already.
                assert found() == {first.number, *later}
            later.append(AchievementFactory(published=True).number)

        chunk, sources.CHUNK = sources.CHUNK, 1
        try:
            with changes.without_nudges():
                changes.rebuild(on_progress=lambda count: publishes(count) if len(later) < 2 else None)
        finally:
            sources.CHUNK = chunk
        changes.drain()
        assert found() == {first.number, *later}
        assert not changes.reconcile()
        assert not SearchChange.objects.exists()


@pytest.mark.django_db
def test_a_drain_under_a_steady_stream_of_changes_ends(market: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an end a rebuild that is asked for, looked at as a drain begins, would never be made."""
    changes.rebuild()
    load, came = sources.load, 0

    def one_more(kind: str, keys: Any) -> sources.Loaded:
        nonlocal came
        came += 1
        assert came < 5, "it takes in what came after it began"
        changes.record(kind="raced", key=f"CG-{came}", version=1)
        return load(kind, keys)

    monkeypatch.setattr(sources, "load", one_more)
    changes.record(kind="raced", key="CG-0", version=1)
    assert changes.drain().dropped == 1
    assert changes.waiting() == 1


@pytest.mark.django_db
def test_an_index_that_refuses_every_write_is_made_anew(
    market: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEARCH_URL = "embedded:"
    changes.rebuild()
    listing = AchievementFactory(published=True)

    def fails(self: Any, given: Any) -> Any:
        raise EngineDown("a segment is broken")

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedEngine, "put", fails)
        patch.setattr(EmbeddedEngine, "drop", fails)
        for _ in range(changes.REFUSALS):
            assert changes.sweep().down
    assert changes.sweep().rebuilt == "asked for"
    assert found() == {listing.number}


def _each(amount: int, act: Callable[[], Any]) -> None:
    answers = races.together([act] * amount)
    assert not [answer for answer in answers if isinstance(answer, Exception)], answers


@pytest.mark.elasticsearch
@pytest.mark.postgres
def test_shuffled_updates_over_four_drains_leave_nothing_stale(
    elsewhere: Any, market: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """10,000 updates of 500 listings, taken in by four drains while they are written, one in ten a withdrawal."""
    assert connection.vendor == "postgresql"
    # A minute on an idle machine; a busy one is given time.
    monkeypatch.setattr(races, "PATIENCE", 320)
    engine = get_engine()
    kept = {f"CG-2026-{n:06d}": 0 for n in range(500)}
    lock = threading.Lock()
    done = threading.Event()

    def load(kind: str, keys: Any) -> sources.Loaded:
        # What a source does: the newest state at this moment. Every tenth number of a version is a withdrawn one.
        with lock:
            now = {key: kept[key] for key in keys}
        time.sleep(random.random() / 100)
        public = {k: document("甲乙", id=k, version=v) for k, v in now.items() if v % 10}
        return sources.Loaded(documents=public)

    def write() -> None:
        order = [key for key in kept for _ in range(20)]
        random.Random(7).shuffle(order)
        for part in range(0, len(order), 20):
            with transaction.atomic(), changes.without_nudges():
                for key in sorted(order[part : part + 20]):
                    with lock:
                        kept[key] += 1
                        version = kept[key]
                    changes.record(kind="raced", key=key, version=version)
        done.set()

    def drains() -> None:
        until = time.monotonic() + 300
        while time.monotonic() < until:
            was_done = done.is_set()
            taken = taking.Taken()
            taking.take_in(engine, taken, limit=100)
            if was_done and not SearchChange.objects.exists():
                return
            time.sleep(0.01)
        raise AssertionError(f"{SearchChange.objects.count()} rows are left")

    engine.rebuild([])
    real, sources.load = sources.load, load
    try:
        answers = races.together([write, *[drains] * 4])
    finally:
        sources.load = real
    assert answers == [None] * 5
    held = engine.held(kept)
    stale = {key for key, version in kept.items() if held[key] != (version, version % 10 == 0)}
    assert (len(held), stale) == (500, set())


@pytest.mark.postgres
def test_four_drains_share_the_rows_and_none_is_taken_twice(
    elsewhere: Any, market: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEARCH_URL = "embedded:"
    monkeypatch.setattr(EmbeddedEngine, "has_one_writer", False)
    monkeypatch.setattr(taking, "BATCH", 25)
    engine = get_engine()
    engine.rebuild([])
    seen: list[str] = []

    def load(kind: str, keys: Any) -> sources.Loaded:
        seen.extend(keys)
        time.sleep(0.02)
        return sources.Loaded(documents={key: document("甲乙", id=key) for key in keys})

    def prepare() -> None:
        SearchChange.objects.bulk_create(
            [SearchChange(kind="raced", key=f"CG-2026-{n:06d}", version=1) for n in range(400)]
        )

    assert elsewhere(prepare) is None
    monkeypatch.setattr(sources, "load", load)
    _each(4, lambda: taking.take_in(engine, taking.Taken()))
    assert elsewhere(SearchChange.objects.count) == 0
    assert (len(seen), len(set(seen))) == (400, 400)
    assert len(engine.versions()) == 400


@pytest.mark.postgres
def test_a_drain_never_waits_for_an_import_that_holds_its_rows(
    elsewhere: Any, market: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Deadlock otherwise: the drain holds one row and waits for the other, the import the other way round."""
    settings.SEARCH_URL = "embedded:"
    monkeypatch.setattr(EmbeddedEngine, "has_one_writer", False)
    engine = get_engine()
    engine.rebuild([])
    loading, imported = threading.Event(), threading.Event()

    def load(kind: str, keys: Any) -> sources.Loaded:
        loading.set()
        assert imported.wait(20)
        return sources.Loaded()

    monkeypatch.setattr(sources, "load", load)

    def prepare() -> None:
        for key in ("CG-1", "CG-2"):
            SearchChange.objects.create(kind="raced", key=key, version=1)

    def imports() -> None:
        assert loading.wait(20)
        with transaction.atomic(), changes.without_nudges():
            changes.record(kind="raced", key="CG-2", version=2)
            imported.set()
            time.sleep(1)
            changes.record(kind="raced", key="CG-1", version=2)

    elsewhere(prepare)
    began = time.monotonic()
    assert races.together([lambda: taking.take_in(engine, taking.Taken(), limit=2), imports]) == [None, None]
    assert time.monotonic() - began < 5
    left = elsewhere(lambda: dict(SearchChange.objects.values_list("key", "version")))
    assert left == {"CG-1": 2, "CG-2": 2}


@pytest.mark.postgres
def test_of_two_processes_one_makes_the_index_anew(
    elsewhere: Any, market: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEARCH_URL = "embedded:"
    monkeypatch.setattr(EmbeddedEngine, "has_one_writer", False)
    engine = get_engine()
    filled = 0

    def fill(self: Any, documents: Any) -> dict[str, str]:
        nonlocal filled
        list(documents)
        time.sleep(0.5)
        filled += 1
        return {}

    monkeypatch.setattr(EmbeddedEngine, "rebuild", fill)
    counts = races.together([lambda: rebuilding.rebuild(engine, "test", None, taking.Taken())] * 4)
    assert sorted(counts, key=str) == [0, None, None, None]
    assert filled == 1


def test_records_are_numbered(db: None) -> None:
    """What `outrun` raises is the counter that a change raises, too."""
    record = AchievementFactory(published=True).record
    sources.outrun({record.number: ("achievement", 40)})
    record = ListingRecord.objects.get(pk=record.pk)
    record.raise_search_version()
    assert record.search_version == 41
