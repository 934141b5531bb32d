"""Faults put into the index are found, all of them and no others, and put right row by row."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from cms.models import ListingRecord
from cms.signal_handlers import announce
from search import changes, reconciling, sources
from search.engines import EngineDown, get_engine
from search.engines.embedded import EmbeddedEngine
from search.models import SearchAlarm, SearchChange, SearchRun
from search.query import Query
from tests.factories import AchievementFactory

from .factories import document
from .markets import fresh_market

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def market(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with fresh_market(settings, tmp_path, monkeypatch):
        changes.rebuild()
        yield


def found() -> set[str]:
    return set(get_engine().find(Query(page_size=1000)).ids)


def reconciled(**options: Any) -> tuple[int, dict[str, Any]]:
    out = StringIO()
    try:
        call_command("search_reconcile", stdout=out, json=True, **options)
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue().splitlines()[-1])
    return 0, json.loads(out.getvalue().splitlines()[-1])


def published(amount: int) -> list[ListingRecord]:
    """As many public listings as needed, one written by hand and the rest copied from it."""
    first = AchievementFactory(published=True)
    made = [first.record]
    for n in range(amount - 1):
        record = ListingRecord.objects.get(pk=first.record.pk)
        record.pk, record.number, record.external_id = None, "", ""
        record.save()
        listing = type(first).objects.get(pk=first.pk)
        listing.pk, listing.record, listing.title = None, record, f"{first.title}{n}"
        listing.latest_revision = listing.live_revision = None
        listing.save()
        made.append(record)
    return made


def test_two_hundred_faults_of_all_kinds_are_found_and_repaired(settings: Any) -> None:
    records = published(220)
    changes.rebuild()
    SearchChange.objects.all().delete()
    engine = get_engine()
    chance = random.Random(4)
    hurt = chance.sample(records, 160)
    lost, removed_ahead, behind, ahead = (hurt[n::4] for n in range(4))
    engine.drop([(r.number, r.search_version) for r in lost])
    engine.drop([(r.number, r.search_version + 7) for r in removed_ahead])
    for record in behind:
        ListingRecord.objects.filter(pk=record.pk).update(search_version=record.search_version + 3)
    engine.put([document("索引比数据库新", id=r.number, version=r.search_version + 5) for r in ahead])
    engine.put([document("数据库里没有", id=f"CG-2025-{n:06d}", version=n + 1) for n in range(20)])
    withdrawn = [record for record in records if record not in hurt][:20]
    for record in withdrawn:
        type(record.listing).objects.filter(pk=record.listing.pk).update(live=False)

    code, told = reconciled()
    assert code == 1
    assert (told["missing"], told["stale"], told["extra"], told["drift"]) == (80, 80, 40, 200)
    assert (told["repaired"], SearchChange.objects.count()) == (0, 0), "looking changes nothing"

    code, told = reconciled(repair=True)
    assert (code, told["drift"], told["repaired"], told["rebuild"]) == (1, 200, 200, False)
    assert reconciled() == (
        0,
        {**told, "drift": 0, "repaired": 0, "missing": 0, "stale": 0, "extra": 0, "examples": []},
    )
    assert found() == {r.number for r in records} - {r.number for r in withdrawn}
    assert SearchAlarm.objects.get(kind="drift").count == 2
    assert [run.outcome for run in SearchRun.objects.filter(kind="reconcile")] == ["done"] * 3


def test_what_was_repaired_can_be_published_again_and_changed() -> None:
    """The counters were raised above what the index held: no later change may be passed over as old."""
    gone, ahead = published(2)
    changes.rebuild()
    engine = get_engine()
    type(gone.listing).objects.filter(pk=gone.listing.pk).update(live=False)
    engine.put([document("被改大了版本", id=ahead.number, version=ahead.search_version + 50)])
    SearchChange.objects.all().delete()
    assert reconciled(repair=True)[1]["repaired"] == 2
    assert found() == {ahead.number}
    for record, fields in ((gone, {"live": True}), (ahead, {"title": "新的名称丙丁"})):
        type(record.listing).objects.filter(pk=record.listing.pk).update(**fields)
        announce(ListingRecord.objects.get(pk=record.pk), "published")
    changes.drain()
    assert found() == {gone.number, ahead.number}
    assert get_engine().find(Query(text="丙丁")).ids[:1] == [ahead.number]
    assert not changes.reconcile()


def test_where_most_differs_the_index_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "MOST", 3)
    records = published(6)
    SearchChange.objects.all().delete()
    code, told = reconciled(repair=True)
    assert (code, told["drift"], told["repaired"], told["rebuild"]) == (1, 6, 6, True)
    assert found() == {r.number for r in records}


def test_a_kind_whose_counter_cannot_be_raised_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    (record,) = published(1)
    changes.rebuild()
    SearchChange.objects.all().delete()
    source = sources._sources["achievement"]
    plain = sources.Source("achievement", source.queryset, source.to_document, source.key)
    monkeypatch.setitem(sources._sources, "achievement", plain)
    get_engine().put([document("索引比数据库新", id=record.number, version=99)])
    code, told = reconciled(repair=True)
    assert (code, told["stale"], told["repaired"], told["rebuild"]) == (1, 1, 1, True)


def _changed(record: ListingRecord) -> None:
    announce(ListingRecord.objects.get(pk=record.pk), "published")
    changes.drain()


def _withdrawn(record: ListingRecord) -> None:
    type(record.listing).objects.filter(pk=record.listing.pk).update(live=False)
    _changed(record)


@pytest.mark.parametrize("act", [_changed, _withdrawn])
@pytest.mark.parametrize("moment", range(1, 9))
def test_what_changes_during_the_comparison_is_no_fault(
    monkeypatch: pytest.MonkeyPatch, act: Callable[[ListingRecord], None], moment: int
) -> None:
    """A change, taken in at once, before each question that the comparison puts to the database."""
    record, *_ = published(3)
    changes.rebuild()
    asked = 0
    real = {name: getattr(sources, name) for name in ("versions", "versions_of")}
    held = type(get_engine()).held

    def meanwhile() -> None:
        nonlocal asked
        asked += 1
        if asked == moment:
            act(record)

    def versions() -> Any:
        meanwhile()
        for part in real["versions"]():
            yield part
            meanwhile()

    def versions_of(*args: Any) -> Any:
        meanwhile()
        return real["versions_of"](*args)

    def held_by(self: Any, ids: Any) -> Any:
        meanwhile()
        return held(self, ids)

    monkeypatch.setattr(sources, "versions", versions)
    monkeypatch.setattr(sources, "versions_of", versions_of)
    monkeypatch.setattr(type(get_engine()), "held", held_by)
    assert not changes.reconcile(repair=True)
    assert not SearchChange.objects.filter(kind=changes.REBUILD).exists()


def test_without_the_second_look_a_change_in_between_is_taken_for_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control of the test above."""
    record, *_ = published(3)
    changes.rebuild()
    monkeypatch.setattr(reconciling, "_confirmed", lambda engine, suspects: iter(_blindly(suspects)))
    held = type(get_engine()).held

    def held_by(self: Any, ids: Any) -> Any:
        _changed(record)
        return held(self, ids)

    monkeypatch.setattr(type(get_engine()), "held", held_by)
    assert changes.reconcile().numbers == (record.number,)


def _blindly(suspects: dict[str, str]) -> list[Any]:
    return [reconciling._Fault(number, kind, 1, 2, False) for number, kind in suspects.items()]


def test_versions_are_those_of_the_documents() -> None:
    """The short way to (number, version) must agree with what is really written."""
    AchievementFactory(published=True)
    AchievementFactory(published=True, matchmaker_only=True)
    AchievementFactory(published=True, restricted_l2=True)
    AchievementFactory()
    short = {number: version for part in sources.versions() for number, (_, version) in part.items()}
    assert short == {d.id: d.version for d in sources.everything({})}
    assert len(short) == 2
    assert sources.versions_of(short) == {number: ("achievement", version) for number, version in short.items()}


@pytest.mark.elasticsearch
def test_the_index_before_answers_again_and_is_brought_up_to_date() -> None:
    kept, gone = published(2)
    changes.rebuild()
    changes.rebuild()
    later = AchievementFactory(published=True)
    type(gone.listing).objects.filter(pk=gone.listing.pk).update(live=False)
    announce(gone, "unpublished")
    changes.drain()
    out = StringIO()
    call_command("search_rebuild", rollback=True, stdout=out)
    assert "已退回旧索引：2 条；此后的 2 处改动" in out.getvalue()
    changes.drain()
    assert found() == {kept.number, later.number}
    assert not changes.reconcile()
    assert SearchRun.objects.filter(kind="rollback", outcome="done").count() == 1


def test_an_engine_that_keeps_no_earlier_index_says_so(settings: Any) -> None:
    settings.SEARCH_URL = "embedded:"
    with pytest.raises(CommandError) as stopped:
        call_command("search_rebuild", rollback=True)
    assert stopped.value.returncode == 2


def test_an_engine_that_does_not_answer_ends_with_2(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Any, ids: Any) -> Any:
        raise EngineDown("no answer")

    published(1)
    settings.SEARCH_URL = "embedded:"
    changes.rebuild()
    monkeypatch.setattr(EmbeddedEngine, "held", fails)
    with pytest.raises(CommandError) as stopped:
        call_command("search_reconcile", stdout=StringIO())
    assert stopped.value.returncode == 2
    assert SearchRun.objects.filter(kind="reconcile").first().outcome == "failed"
