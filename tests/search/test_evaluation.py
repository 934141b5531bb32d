"""The measures, the files, and the two commands with their exit codes."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from elasticsearch import Elasticsearch

from search import evaluation
from search.evaluation import METRICS, BadFile

from ..conftest import ROOT

JUDGED = Path(os.environ["JUDGED_DATA"]) if os.environ.get("JUDGED_DATA") else None
# matching.md §6: the development half, lexical. How fast texts are indexed is what `bench index` says.
MARKS = {"henan": 0.34, "need": 0.76, "csltitle": 0.965, "cslkey": 0.97}


def write(path: Path, rows: Iterable[dict[str, Any]]) -> Path:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def test_measures_of_one_demand_by_hand() -> None:
    judged = {"a": 3.0, "b": 2.0, "c": 0.0, "d": 1.0}
    scored = evaluation.score_one(["x", "b", "a"], judged)
    ideal = 7 + 3 / math.log2(3) + 1 / math.log2(4)
    assert scored["nDCG@10"] == pytest.approx((3 / math.log2(3) + 7 / math.log2(4)) / ideal)
    assert scored["jnDCG@10"] == pytest.approx((3 + 7 / math.log2(3)) / ideal)
    assert (scored["Recall@20"], scored["MRR"]) == (1.0, 0.5)
    assert scored["Judged@10"] == pytest.approx(2 / 3)


def test_a_demand_left_out_scores_nothing_and_one_without_a_relevant_pair_is_not_counted() -> None:
    judged = {"D1": {"a": 2.0}, "D2": {"a": 2.0}, "D3": {"a": 1.0}}
    assert evaluation.evaluate({"D1": ["a"]}, judged)["nDCG@10"] == 0.5
    with pytest.raises(BadFile):
        evaluation.evaluate({}, {"D3": {"a": 1.0}})


def test_percentiles_are_nearest_rank() -> None:
    values = [float(n) for n in range(1, 101)]
    assert (evaluation.percentile(values, 0.5), evaluation.percentile(values, 0.95)) == (50.0, 95.0)
    assert (evaluation.percentile([7.0], 0.95), evaluation.percentile([], 0.5)) == (7.0, 0.0)


def test_a_repeated_id_counts_once_at_its_best_rank(tmp_path: Path) -> None:
    path = write(tmp_path / "run.jsonl", [{"demand_id": "D1", "ranking": ["a", ["b", 1.5], "a"]}])
    assert evaluation.read_run(path) == {"D1": ["a", "b"]}


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"ranking": ["a"]}', '{"demand_id": "D", "ranking": 1}', '{"demand_id":"D","ranking":[]}\n' * 2],
)
def test_a_bad_run_file_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "run.jsonl").write_text(text)
    with pytest.raises(BadFile):
        evaluation.read_run(tmp_path / "run.jsonl")


@pytest.fixture
def task(tmp_path: Path) -> dict[str, Path]:
    """A made-up task small enough to see the right answer."""
    corpus = [
        {"id": "S1", "title": "矿井水除氟填料", "text": "改性羟基磷灰石吸附"},
        {"id": "S2", "title": "羊绒分梳机", "text": ""},
        {"id": "S3", "title": "除氟滤池", "text": "沸石"},
    ]
    queries = [
        {"id": "D1", "query": "矿井水除氟\n吸附", "title": "矿井水除氟", "text": "吸附"},
        {"id": "D2", "title": "羊绒"},
    ]
    judged = [
        {"demand_id": "D1", "supply_id": "S1", "gain": 3},
        {"demand_id": "D1", "supply_id": "S3", "gain": 2},
        {"demand_id": "D2", "supply_id": "S2", "gain": 3},
    ]
    return {
        "corpus": write(tmp_path / "small_corpus.jsonl", corpus),
        "queries": write(tmp_path / "small_queries.jsonl", queries),
        "judged": write(tmp_path / "small_qrels.jsonl", judged),
        "out": tmp_path / "small.run.jsonl",
    }


def rank(task: dict[str, Path], **options: Any) -> str:
    out = StringIO()
    call_command("rank", corpus=task["corpus"], queries=task["queries"], out=task["out"], stdout=out, **options)
    return out.getvalue()


def test_rank_then_evaluate(task: dict[str, Path], tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR = tmp_path / "untouched"
    said = rank(task)
    assert evaluation.read_run(task["out"]) == {"D1": ["S1", "S3"], "D2": ["S2"]}
    assert "records/s" in said
    assert "p95" in said
    assert not (tmp_path / "untouched").exists()
    out = StringIO()
    call_command("evaluate", runs=tmp_path, data=tmp_path, json=True, stdout=out)
    scores = json.loads(out.getvalue().splitlines()[-1])
    assert set(scores["small"]) == set(METRICS)
    assert scores["small"]["nDCG@10"] == 1.0


@pytest.fixture
def servers() -> Iterator[Elasticsearch]:
    client = Elasticsearch(os.environ["TEST_SEARCH_URL"].split(","))
    yield client
    client.close()


def made(servers: Elasticsearch) -> list[str]:
    """Indexes and templates of `rank` that are there."""
    indexes = servers.indices.get(index="rank-*", allow_no_indices=True)
    templates = servers.indices.get_index_template()["index_templates"]
    return [*indexes, *(row["name"] for row in templates if row["name"].startswith("rank-"))]


def left_behind(servers: Elasticsearch) -> list[str]:
    """What stays of `rank`: another process of the same test run may be in the middle of its own."""
    end = time.monotonic() + 20
    while (found := made(servers)) and time.monotonic() < end:
        time.sleep(0.2)
    return found


@pytest.mark.elasticsearch
def test_rank_on_elasticsearch_says_the_same_and_leaves_nothing(
    task: dict[str, Path], tmp_path: Path, settings: Any, servers: Elasticsearch
) -> None:
    settings.SEARCH_URL = os.environ["TEST_SEARCH_URL"]
    settings.DATA_DIR = tmp_path / "untouched"
    rank(task, engine="elasticsearch")
    assert evaluation.read_run(task["out"]) == {"D1": ["S1", "S3"], "D2": ["S2"]}
    task["corpus"].write_text('{"id": "S1"}')
    with pytest.raises(CommandError):
        rank(task, engine="elasticsearch")
    assert left_behind(servers) == []
    assert not (tmp_path / "untouched").exists()


@pytest.mark.elasticsearch
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_rank_leaves_nothing_when_it_is_ended(tmp_path: Path, servers: Elasticsearch, sent: signal.Signals) -> None:
    rows = [{"id": f"S{n}", "title": f"矿井水除氟填料{n}", "text": "吸附" * 200} for n in range(30_000)]
    corpus = write(tmp_path / "corpus.jsonl", rows)
    queries = write(tmp_path / "queries.jsonl", rows[:1])
    options = ["--corpus", corpus, "--queries", queries, "--out", tmp_path / "run", "--engine", "elasticsearch"]
    started = subprocess.Popen(
        [sys.executable, ROOT / "manage.py", "rank", *options],
        env={**os.environ, "SEARCH_URL": os.environ["TEST_SEARCH_URL"], "DATA_DIR": str(tmp_path / "data")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + 60
    while not made(servers) and time.monotonic() < end:
        assert started.poll() is None
        time.sleep(0.05)
    started.send_signal(sent)
    assert started.wait(timeout=30) != 0
    assert left_behind(servers) == []
    assert not (tmp_path / "run").exists()


def test_rank_cuts_at_top(task: dict[str, Path]) -> None:
    rank(task, top=1)
    assert evaluation.read_run(task["out"]) == {"D1": ["S1"], "D2": ["S2"]}


@pytest.mark.parametrize("options", [{"engine": "elasticsearch"}, {"mode": "hybrid"}, {"mode": "static"}, {"top": 0}])
@pytest.mark.parametrize("url", ["embedded:", "http://127.0.0.1:9"])
def test_what_is_not_there_ends_with_2_and_never_falls_back(
    task: dict[str, Path], settings: Any, options: dict[str, Any], url: str
) -> None:
    settings.SEARCH_URL = url
    with pytest.raises(CommandError) as stopped:
        rank(task, **options)
    assert stopped.value.returncode == 2
    assert not task["out"].exists()


@pytest.mark.parametrize("text", ["", None, '{"id": "S1"}', '{"id":"S1","title":"一"}\n{"id":"S1","title":"二"}'])
def test_a_bad_corpus_ends_with_2(task: dict[str, Path], text: str | None) -> None:
    if text is None:
        task["corpus"].unlink()
    elif text:
        task["corpus"].write_text(text, encoding="utf-8")
    if text == "":
        # An empty corpus is not a fault: every ranking is empty.
        task["corpus"].write_text("")
        rank(task)
        assert evaluation.read_run(task["out"]) == {"D1": [], "D2": []}
        return
    with pytest.raises(CommandError) as stopped:
        rank(task)
    assert stopped.value.returncode == 2


def test_evaluate_without_runs_or_judgments_ends_with_2(task: dict[str, Path], tmp_path: Path) -> None:
    for runs in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(CommandError) as stopped:
            call_command("evaluate", runs=runs, data=tmp_path)
        assert stopped.value.returncode == 2
    rank(task)
    with pytest.raises(CommandError):
        call_command("evaluate", runs=tmp_path, data=tmp_path / "nowhere")


@pytest.mark.judged
@pytest.mark.skipif(JUDGED is None, reason="JUDGED_DATA is not set: the marks on real texts are not checked here")
@pytest.mark.parametrize("name", sorted(MARKS))
def test_the_marks_on_judged_data(name: str, tmp_path: Path) -> None:
    assert JUDGED is not None
    corpus = JUDGED / f"{'csl' if name.startswith('csl') else name}_corpus.jsonl"
    out = StringIO()
    run = tmp_path / f"{name}.run.jsonl"
    call_command("rank", corpus=corpus, queries=JUDGED / f"{name}_queries.jsonl", out=run, stdout=out)
    judged = evaluation.read_judgments(JUDGED / f"{name}_qrels.jsonl")
    scored = evaluation.evaluate(evaluation.read_run(run), judged)
    assert scored["nDCG@10"] >= MARKS[name]
    # The reference script that came with the data must say the same of the same run.
    spec = importlib.util.spec_from_file_location("reference", JUDGED / "evaluate.py")
    assert spec is not None
    assert spec.loader is not None
    reference = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(reference)
    means, _ = reference.evaluate(reference.load_run(run), judged)
    assert scored == pytest.approx(means)
