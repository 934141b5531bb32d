"""The command `bench`: its keys, its scratch market, what it refuses. Nothing here is timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from marketplace.operations.benches import bare, questions, scratch, searching
from marketplace.operations.benches.figures import Figures, Reference

ROOT = Path(__file__).resolve().parents[2]
KEYS = {"name", "scale", "engine", "p50_ms", "p95_ms", "per_s", "rss_mb", "engine_p95_ms", "reference", "ratio"}


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if name not in ("SEARCH_URL", "DATABASE_URL", "REDIS_URL")
    }
    environment = {**kept, "DATA_DIR": str(folder / "data"), "DJANGO_SETTINGS_MODULE": "marketplace.settings.base"}
    (folder / "data").mkdir(exist_ok=True)
    command = [sys.executable, "manage.py", "bench", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False)


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def test_every_bench_says_its_keys_and_a_kept_market_is_used_again(tmp_path: Path) -> None:
    kept = ("--scale", "300", "--count", "12", "--keep", str(tmp_path / "kept"), "--json")
    found = answer(run("search", *kept, folder=tmp_path))
    assert found.keys() >= KEYS | {"rest_p95_ms", "questions"}
    assert (found["name"], found["scale"], found["engine"], found["questions"]) == ("search", 300, "embedded", 12)
    assert found["ratio"] == pytest.approx(found["engine_p95_ms"] / found["reference"]["p95_ms"], abs=0.01)
    (market,) = (tmp_path / "kept").iterdir()
    made = (market / "market.sqlite3").stat().st_ino
    match = answer(run("match", *kept, folder=tmp_path))
    assert match.keys() >= KEYS
    assert match["reference"]["p95_ms"] > 0
    index = answer(run("index", *kept, folder=tmp_path))
    assert index.keys() >= KEYS | {"whole_per_s", "index_mb"}
    assert index["documents"] == 300
    assert index["rss_mb"] > 10
    assert index["ratio"] == pytest.approx(index["reference"]["per_s"] / index["per_s"], rel=0.01)
    assert (market / "market.sqlite3").stat().st_ino == made
    assert not list((tmp_path / "data").iterdir())


@pytest.mark.parametrize(
    ("arguments", "code"), [(("search", "--scale", "3"), 2), (("nothing",), 2), (("search", "--in-place"), 2)]
)
def test_what_it_cannot_do_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], code: int) -> None:
    assert run(*arguments, folder=tmp_path).returncode == code


def test_a_half_made_market_is_not_measured(tmp_path: Path) -> None:
    folder = tmp_path / "300-1"
    folder.mkdir()
    (folder / "market.sqlite3").write_bytes(b"")
    with pytest.raises(scratch.NotRun), scratch.market(scale=300, seed=1, engine="embedded", keep=tmp_path):
        pass


def test_a_ratio_compares_times_or_rates() -> None:
    slow = Figures("search", 1, "embedded", Reference("bare", p95_ms=2.0), engine_p95_ms=3.0)
    assert slow.ratio == 1.5
    index = Figures("index", 1, "embedded", Reference("bare", per_s=3000.0), per_s=2000.0)
    assert index.ratio == 1.5
    assert Figures("index", 1, "embedded", Reference("bare")).ratio is None


@pytest.mark.django_db
class TestOnSyntheticListings:
    @pytest.fixture(autouse=True)
    def market(self, tmp_path: Path, settings: Any) -> Any:
        import datetime as dt

        from marketplace.demo import synthetic
        from search import changes
        from search.engines import close_engine

        settings.DATA_DIR = tmp_path
        close_engine()
        synthetic.load(200, seed=1, day=dt.date(2026, 3, 1))
        changes.rebuild()
        yield
        close_engine()

    def test_the_questions_of_a_seed_are_the_same(self) -> None:
        assert questions.Asker(3).questions(40) == questions.Asker(3).questions(40)
        assert questions.Asker(3).questions(40) != questions.Asker(4).questions(40)

    def test_the_reference_finds_what_the_engine_finds(self) -> None:
        from search.engines import get_engine

        engine = get_engine()
        if engine.name != "embedded":
            pytest.skip("the reference of the embedded engine")
        for _question, query in searching._usable(engine, questions.Asker(5), 15):
            ours = engine.find(query)
            listed, counted = bare.bare(engine).find(query)()
            assert len(listed) == len(ours.hits)
            plain = {row["key"]: row["doc_count"] for part in counted for f in part.values() for row in f["buckets"]}
            assert {value for counts in ours.facets.values() for value in counts} == plain.keys()
