"""The embedded engine: what all engines do, and what only a folder with one writer can get wrong."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from search.engines import EngineBusy, EngineDown, EngineUnavailable, generations, open_engine
from search.engines import tantivy_reading as reading
from search.engines.embedded import EmbeddedEngine
from search.query import Query

from .engine_tests import EngineTests
from .factories import document


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedEngine]:
    opened = EmbeddedEngine(tmp_path / "search")
    opened.rebuild([])
    yield opened
    opened.close()


class TestEmbedded(EngineTests):
    pass


class TestOneWriter:
    def test_a_second_writer_is_told_and_can_still_read(self, engine: EmbeddedEngine) -> None:
        assert engine.hold()
        engine.put([document("除氟", id="CG-1")])
        other = EmbeddedEngine(engine.folder)
        assert not other.hold()
        with pytest.raises(EngineBusy):
            other.put([document("脱硫", id="CG-2")])
        with pytest.raises(EngineBusy):
            other.rebuild([])
        assert other.find(Query(text="除氟")).ids == ["CG-1"]

    def test_a_commit_is_seen_at_once_by_a_reader_that_was_open(self, engine: EmbeddedEngine) -> None:
        reader = EmbeddedEngine(engine.folder)
        assert reader.find(Query()).total == 0
        engine.put([document("除氟")])
        assert reader.find(Query()).total == 1
        engine.rebuild([document("脱硫"), document("脱硝")])
        assert reader.find(Query()).total == 2

    def test_the_lock_is_free_again_after_close(self, engine: EmbeddedEngine) -> None:
        engine.hold()
        engine.close()
        other = EmbeddedEngine(engine.folder)
        assert other.hold()
        other.close()

    def test_a_killed_writer_leaves_a_whole_index_and_no_lock(self, engine: EmbeddedEngine) -> None:
        engine.put([document("除氟", id="CG-1")])
        script = textwrap.dedent(f"""
            import django; django.setup()
            from pathlib import Path
            from search.engines.embedded import EmbeddedEngine
            from search.query import Document
            engine = EmbeddedEngine(Path({str(engine.folder)!r}))
            engine.hold()
            number = 0
            while True:
                engine.put([Document(id=f"CG-9{{number}}", kind="achievement", title="脱硫")])
                number += 1
                print(number, flush=True)
        """)
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "marketplace.settings.test",
            "TEST_DATA_DIR": str(engine.folder.parent),
        }
        root = Path(__file__).parents[2]
        with subprocess.Popen(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, cwd=root, env=environment, text=True
        ) as writer:
            assert writer.stdout is not None
            for _ in range(3):
                acknowledged = int(writer.stdout.readline())
            writer.send_signal(signal.SIGKILL)
        assert engine.needs_rebuild() == ""
        assert engine.find(Query(text="脱硫")).total >= acknowledged
        assert engine.put([document("脱硝", id="CG-2")]) == {}

    def test_readers_in_threads_never_fail_while_it_is_written_and_swapped(self, engine: EmbeddedEngine) -> None:
        engine.hold()
        engine.put([document("除氟", id="CG-0")])
        stop = threading.Event()

        def read() -> int:
            asked = 0
            while not stop.is_set():
                assert "CG-0" in engine.find(Query(text="除氟", facets=["kind"], page_size=100)).ids
                assert engine.similar(document("高盐废水除氟", id="XQ-1"))
                asked += 1
            return asked

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(read) for _ in range(4)]
            for number in range(1, 25):
                engine.put([document("除氟", id=f"CG-{number}")])
                if number % 8 == 0:
                    engine.rebuild([document("除氟", id="CG-0")])
            stop.set()
            assert min(reader.result() for reader in readers) > 0


def test_negative_control_without_the_version_check_the_old_overwrites_the_new(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "known", lambda searcher, schema, ids: {})
    engine.put([document("新", id="CG-1", version=5)])
    engine.put([document("旧", id="CG-1", version=4)])
    assert engine.versions() == {"CG-1": 4}


class TestDamage:
    @pytest.mark.parametrize("how", ["cut off", "empty", "gone"])
    def test_any_damaged_file_is_noticed_and_made_good_by_a_rebuild(self, engine: EmbeddedEngine, how: str) -> None:
        engine.rebuild([document("除氟", id="CG-1"), document("脱硫", id="CG-2")])
        generation = generations.current(engine.folder)
        files = [p for p in generation.iterdir() if p.stat().st_size and p.suffix != ".lock"]
        assert len(files) > 6
        for path in files:
            broken = EmbeddedEngine(engine.folder.with_name("broken"))
            shutil.copytree(engine.folder, broken.folder)
            victim = broken.folder / generation.name / path.name
            if how == "gone":
                victim.unlink()
            else:
                victim.write_bytes(victim.read_bytes()[: victim.stat().st_size // 2] if how == "cut off" else b"")
            if path.name != ".managed.json" or how != "gone":  # tantivy needs that one only to remove old files
                with pytest.raises(EngineDown):
                    broken.find(Query(text="除氟"))
                assert broken.needs_rebuild()
            broken.rebuild([document("除氟", id="CG-1")])
            assert (broken.needs_rebuild(), broken.find(Query(text="除氟")).ids) == ("", ["CG-1"])
            shutil.rmtree(broken.folder)

    def test_without_an_index_it_says_so(self, tmp_path: Path) -> None:
        engine = EmbeddedEngine(tmp_path / "none")
        assert engine.status().state == "missing"
        assert engine.needs_rebuild()
        for ask in (lambda: engine.find(Query()), lambda: engine.put([document("除氟")])):
            with pytest.raises(EngineDown):
                ask()

    def test_another_analyser_means_a_rebuild(self, engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch) -> None:
        engine.put([document("除氟")])
        monkeypatch.setattr(generations, "ANALYZER_VERSION", 99)
        later = EmbeddedEngine(engine.folder)
        with pytest.raises(EngineDown, match="analyzer_version"):
            later.find(Query())
        assert later.status().state == "outdated"
        later.rebuild([document("脱硫")])
        assert later.find(Query()).total == 1

    def test_an_unfinished_generation_is_cleared_away(self, engine: EmbeddedEngine) -> None:
        (engine.folder / "g000099").mkdir()
        engine.rebuild([document("除氟")])
        assert [p.name for p in engine.folder.glob("g*")] == ["g000100"]


@pytest.mark.parametrize("url", ["solr://search:8983", "http://search:9200,ftp://other", "http://no-port", ",", ""])
def test_an_engine_that_does_not_exist_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(EngineUnavailable, match="SEARCH_URL"):
        open_engine(url, tmp_path)


def test_the_embedded_engine_is_named(tmp_path: Path) -> None:
    assert isinstance(open_engine("embedded:", tmp_path), EmbeddedEngine)
