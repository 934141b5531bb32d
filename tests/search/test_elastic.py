"""The engine on Elasticsearch: what all engines do, and what only servers behind a network can get wrong."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search.engines import EngineDown, elastic_bulk, elastic_documents, open_engine
from search.engines.elastic import ElasticEngine
from search.engines.elastic_client import PAUSE
from search.query import Document, Query

from .engine_tests import EngineTests
from .factories import document
from .stubs import Stub

elasticsearch = pytest.mark.elasticsearch


def opened(**given: Any) -> ElasticEngine:
    nodes = os.environ["TEST_SEARCH_URL"].split(",")
    return ElasticEngine(nodes, **{"prefix": f"test-{uuid.uuid4().hex[:12]}", **given})


@pytest.fixture
def engine() -> Iterator[ElasticEngine]:
    ready = opened()
    ready.rebuild([])
    yield ready
    ready.indexes.remove_all()
    ready.close()


@elasticsearch
class TestElastic(EngineTests):
    pass


@elasticsearch
def test_terms_weigh_and_count_the_same_on_three_shards_as_on_one() -> None:
    chance = random.Random(5)
    known = [
        document("".join(chance.choices("氢能智储煤电水风光", k=chance.randint(4, 40))), id=f"CG-{n:03d}")
        for n in range(300)
    ]
    single, several = opened(), opened(shards=3)
    try:
        for one in (single, several):
            one.rebuild(known)
        for text in ("氢能储能", "智能煤电", "风光水电 储能"):
            asked = document(text, id="XQ-1")
            assert several.similar(asked, limit=50) == single.similar(asked, limit=50)
            page = [one.find(Query(text=text, page_size=50, facets=["kind"])) for one in (single, several)]
            assert (page[0].hits, page[0].total, page[0].facets) == (page[1].hits, page[1].total, page[1].facets)
        counted = [one.frequencies("bi", ["氢能", "储能", "没有"]) for one in (single, several)]
        assert counted[0] == counted[1]
        assert several.versions() == single.versions()
    finally:
        for one in (single, several):
            one.indexes.remove_all()
            one.close()


@elasticsearch
class TestManyWriters:
    def test_what_another_process_wrote_is_found_when_it_returns(self, engine: ElasticEngine) -> None:
        other = opened(prefix=engine.indexes.prefix)
        other.put([document("除氟", id="CG-1")])
        assert engine.find(Query(text="除氟")).ids == ["CG-1"]
        other.drop([("CG-1", 1)])
        assert engine.find(Query(text="除氟")).total == 0
        other.close()

    def test_versions_out_of_order_from_four_threads_end_at_the_newest(self, engine: ElasticEngine) -> None:
        def write(thread: int) -> None:
            for version in sorted(range(1, 41), key=lambda v: (v * 7 + thread * 13) % 41):
                engine.put([document(f"第{version}版", id=f"CG-{n}", version=version) for n in range(10)])

        threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert engine.versions() == {f"CG-{n}": 40 for n in range(10)}

    def test_the_state_counts_removed_ones_apart(self, engine: ElasticEngine) -> None:
        engine.put([document("除氟", id="CG-1", version=3), document("脱硫", id="CG-2")])
        engine.drop([("CG-2", 4)])
        status = engine.status()
        assert (status.state, status.documents, status.tombstones) == ("ok", 1, 1)
        assert status.index_time is not None

    def test_a_scan_of_several_pages_is_whole(self, engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("search.engines.elastic.SCAN_PAGE", 10)
        engine.put([document("除氟", id=f"CG-{n:03d}") for n in range(95)])
        assert [row[0] for row in engine.scan()] == [f"CG-{n:03d}" for n in range(95)]


@elasticsearch
class TestRebuild:
    def test_writes_meanwhile_are_in_the_new_index(self, engine: ElasticEngine) -> None:
        engine.put([document("旧", id=f"CG-{n}", version=1) for n in range(6)])

        def reading() -> Iterator[Document]:
            yield document("旧", id="CG-0", version=1)
            engine.put([document("新", id="CG-1", version=2), document("新", id="CG-9", version=1)])
            engine.drop([("CG-2", 2)])
            # What was read before those writes comes after them.
            yield from (document("旧", id=f"CG-{n}", version=1) for n in range(1, 6))

        assert engine.rebuild(reading()) == {}
        assert engine.versions() == {"CG-0": 1, "CG-1": 2, "CG-3": 1, "CG-4": 1, "CG-5": 1, "CG-9": 1}
        assert set(engine.find(Query(text="新")).ids) == {"CG-1", "CG-9"}

    def test_the_old_one_answers_until_then_and_is_kept_for_a_way_back(self, engine: ElasticEngine) -> None:
        engine.put([document("旧", id="CG-1")])

        def reading() -> Iterator[Document]:
            yield document("新", id="CG-2")
            assert engine.find(Query()).ids == ["CG-1"]

        engine.rebuild(reading())
        assert engine.find(Query()).ids == ["CG-2"]
        assert engine.rollback().endswith("-000001")
        assert engine.find(Query()).ids == ["CG-1"]
        engine.rebuild([])
        assert [index.name[-6:] for index in engine.indexes.all()] == ["000001", "000003"]

    def test_there_is_no_way_back_to_nothing(self, engine: ElasticEngine) -> None:
        with pytest.raises(EngineDown, match="no earlier index"):
            engine.rollback()

    def test_one_that_fails_leaves_nothing_behind(self, engine: ElasticEngine) -> None:
        def broken() -> Iterator[Document]:
            yield document("新", id="CG-2")
            raise KeyboardInterrupt

        before = engine.indexes.all()
        with pytest.raises(KeyboardInterrupt):
            engine.rebuild(broken())
        assert engine.indexes.all() == before

    def test_what_a_dead_one_left_is_cleared_away(self, engine: ElasticEngine) -> None:
        left = engine.indexes.begin()
        engine.put([document("除氟", id="CG-1")])
        engine.rebuild([document("脱硫", id="CG-2")])
        assert left not in {index.name for index in engine.indexes.all()}
        assert engine.versions() == {"CG-2": 1}

    def test_one_that_another_process_took_over_cannot_be_swapped_in(self, engine: ElasticEngine) -> None:
        engine.put([document("除氟", id="CG-1")])

        def overtaken() -> Iterator[Document]:
            yield document("旧", id="CG-2")
            engine.rebuild([document("新", id="CG-3")])
            yield document("旧", id="CG-4")

        with pytest.raises(EngineDown):
            engine.rebuild(overtaken())
        assert engine.versions() == {"CG-3": 1}
        engine.put([document("除氟", id="CG-5")])
        assert engine.versions() == {"CG-3": 1, "CG-5": 1}

    def test_a_late_write_makes_no_index(self, engine: ElasticEngine) -> None:
        gone = f"{engine.indexes.prefix}-000099"
        with pytest.raises(EngineDown):
            elastic_bulk.send(
                engine.line, gone, [("CG-1", *elastic_documents.document(document("除氟", id="CG-1")))], 5
            )
        assert gone not in {index.name for index in engine.indexes.all()}

    def test_settings_for_filling_are_set_back(self, engine: ElasticEngine) -> None:
        name = engine.indexes.all()[-1].name
        settings = engine.line.client.indices.get_settings(index=name)[name]["settings"]["index"]
        assert "refresh_interval" not in settings
        assert settings["number_of_replicas"] == "0"


@elasticsearch
class TestVersionsOfTheCode:
    def test_another_analyser_asks_for_a_rebuild(self, engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        engine.put([document("除氟", id="CG-1")])
        monkeypatch.setattr(elastic_documents, "ANALYZER_VERSION", 99)
        with pytest.raises(EngineDown, match="analyzer_version"):
            engine.find(Query())
        with pytest.raises(EngineDown, match="analyzer_version"):
            engine.put([document("脱硫", id="CG-2")])
        assert "analyzer_version" in engine.needs_rebuild()
        assert engine.status().state == "outdated"

        def reading() -> Iterator[Document]:
            # Nobody of this version reads the old index: what is written now goes into the new one alone.
            engine.put([document("脱硫", id="CG-3")])
            yield document("脱硫", id="CG-2")

        engine.rebuild(reading())
        assert engine.versions() == {"CG-2": 1, "CG-3": 1}

    def test_older_code_leaves_a_newer_index_alone(
        self, engine: ElasticEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(elastic_documents, "SCHEMA_VERSION", 0)
        with pytest.raises(EngineDown, match="schema_version"):
            engine.needs_rebuild()
        with pytest.raises(EngineDown):
            engine.find(Query())

    def test_without_an_index_everything_says_so(self) -> None:
        fresh = opened()
        assert fresh.needs_rebuild() == "there is no index yet"
        assert fresh.status().state == "missing"
        asked: list[Any] = [
            lambda: fresh.find(Query()),
            lambda: fresh.similar(document("除氟")),
            lambda: fresh.frequencies("bi", ["除氟"]),
            fresh.versions,
            lambda: fresh.held(["CG-1"]),
            fresh.refresh,
            lambda: fresh.put([document("除氟")]),
            lambda: fresh.drop([("CG-1", 1)]),
        ]
        for ask in asked:
            with pytest.raises(EngineDown, match="no index yet"):
                ask()
        fresh.close()


@elasticsearch
class TestBlocks:
    def test_an_index_closed_for_writing_keeps_nothing_and_recovers(self, engine: ElasticEngine) -> None:
        name = engine.indexes.all()[-1].name
        client = engine.line.client
        client.indices.put_settings(index=name, settings={"index.blocks.read_only_allow_delete": True})
        with pytest.raises(EngineDown):
            engine.put([document("除氟", id="CG-1")])
        assert engine.find(Query()).total == 0
        client.indices.put_settings(index=name, settings={"index.blocks.read_only_allow_delete": None})
        engine.put([document("除氟", id="CG-1")])
        assert engine.find(Query()).total == 1

    def test_a_document_that_the_server_refuses_is_named_with_its_reason(self, engine: ElasticEngine) -> None:
        too_long = document("坏", id="CG-2", terms={"owner": ["x" * 40_000]})
        refused = engine.put([document("除氟", id="CG-1"), too_long, document("脱硫", id="CG-3")])
        assert set(refused) == {"CG-2"}
        assert refused["CG-2"]
        assert engine.find(Query()).total == 2


# What a server may answer, from a stub of it


def test_items_are_judged_one_by_one() -> None:
    answers = [{"status": 201}, {"status": 409}, {"status": 400, "error": {"reason": "bad"}}, {"status": 429}]
    with Stub() as stub:
        stub.bulk = [answers, [{"status": 200}]]
        engine = ElasticEngine([stub.url], prefix="market")
        chunk = [(f"CG-{n}", b"{}", b"{}") for n in range(4)]
        done = elastic_bulk.send(engine.line, "market-000001", chunk, 5)
        engine.close()
    assert (done.created, done.changed, done.refused) == (1, 2, {"CG-2": "bad"})
    assert [len(request) for request in stub.asked] == [8, 2]


def test_a_full_queue_is_asked_again_a_few_times_and_then_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elastic_bulk, "PAUSE", 0.001)
    with Stub() as stub:
        stub.bulk = [[{"status": 429, "error": {"reason": "queue is full"}}]] * 99
        engine = ElasticEngine([stub.url], prefix="market")
        with pytest.raises(EngineDown, match="queue is full"):
            elastic_bulk.send(engine.line, "market-000001", [("CG-1", b"{}", b"{}")], 5)
        engine.close()
    assert len(stub.asked) == elastic_bulk.TRIES


def test_a_request_that_is_too_large_is_halved() -> None:
    with Stub() as stub:
        stub.most_lines = 2
        engine = ElasticEngine([stub.url], prefix="market")
        done = elastic_bulk.send(engine.line, "market-000001", [(f"CG-{n}", b"{}", b"{}") for n in range(5)], 5)
        assert (done.created, done.refused) == (5, {})
        stub.most_lines = 1
        done = elastic_bulk.send(engine.line, "market-000001", [("CG-9", b"{}", b"{}")], 5)
        engine.close()
    assert set(done.refused) == {"CG-9"}


def test_chunks_are_bounded_by_bytes_and_count() -> None:
    small = [(str(n), b"x", b"y") for n in range(2_500)]
    assert [len(chunk) for chunk in elastic_bulk.chunks(small)] == [1_000, 1_000, 500]
    large = [(str(n), b"x", b"y" * 2_000_000) for n in range(5)]
    assert [len(chunk) for chunk in elastic_bulk.chunks(large)] == [2, 2, 1]


def test_a_server_that_hangs_costs_one_time_out_and_then_nothing() -> None:
    with Stub() as stub:
        engine = ElasticEngine([stub.url], prefix="market")
        stub.hang.set()
        began = time.monotonic()
        with pytest.raises(EngineDown, match="in time"):
            engine.find(Query(text="除氟"))
        assert time.monotonic() - began < 2.2
        began = time.monotonic()
        for _ in range(20):
            with pytest.raises(EngineDown):
                engine.find(Query(text="除氟"))
            assert engine.status().state == "down"
        assert time.monotonic() - began < 0.2
        stub.hang.clear()
        time.sleep(PAUSE)
        assert engine.needs_rebuild() == "there is no index yet"
        engine.close()


def test_a_server_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    engine = open_engine("http://127.0.0.1:9, http://127.0.0.1:19", tmp_path)
    for _ in range(20):
        began = time.monotonic()
        with pytest.raises(EngineDown, match="cannot be reached"):
            engine.find(Query())
        assert time.monotonic() - began < 0.5
    assert engine.status().state == "down"
    engine.close()


def test_something_else_at_the_address_is_told() -> None:
    with Stub(product="") as stub:
        engine = ElasticEngine([stub.url], prefix="market")
        with pytest.raises(EngineDown, match="not Elasticsearch"):
            engine.find(Query())
        engine.close()


def test_the_same_text_asks_the_same_question() -> None:
    lines = elastic_documents.document(document("PEM电解槽", id="CG-1", version=7, field="0605"))
    action, row = (json.loads(line) for line in lines)
    assert action == {"index": {"_id": "CG-1", "version": 7, "version_type": "external"}}
    assert (row["uni"], row["bi"]) == ("pem 电 解 槽", "pem 电解 解槽")
    assert row["technology_field"] == ["06", "0605"]
