"""The gates: each passes at a small scale and notices a sabotage; the command says what it cannot do."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.gates import running
from tests.gates.gate import Run
from tests.gates.hostile import questions

GATES = running.gates()


def _run(folder: Path, **asked) -> tuple[int, str]:
    out = io.StringIO()
    return running.main(running.Asked(**asked), out=out, folder=folder), out.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One migrated database for all of them."""
    return tmp_path_factory.mktemp("gates")


def _accept(*arguments: str, root: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(root / "manage.py"), "accept", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONUTF8": "1", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_lists_every_gate_with_its_sabotages(tmp_path):
    done = _accept("--list", DATA_DIR=str(tmp_path / "var"))
    assert done.returncode == 0, done.stderr
    for gate in GATES.values():
        assert f"{gate.number} {gate.name}" in done.stdout
        assert all(gate.sabotages_on(engine) for engine in gate.engines)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "--all"),
        ({"name": "nothing"}, "没有这一项"),
        ({"name": "search-death", "all": True}, "--all"),
        ({"name": "search-death", "scale": 0}, "--scale"),
        ({"name": "search-death", "sabotage": "nothing"}, "没有这种破坏"),
        ({"name": "search-death", "only": "nothing"}, "没有这一部分"),
    ],
)
def test_what_makes_no_sense_is_said_and_exits_2(tmp_path, asked, said):
    code, text = _run(tmp_path, **asked)
    assert code == 2
    assert said in text


def test_a_scaled_run_keeps_at_least_one_of_everything_and_counts_what_it_checked(tmp_path):
    run = Run("x", 1, 0.001, "sqlite", "embedded", tmp_path, out=io.StringIO())
    assert (run.count(300), run.count(300, 12), run.seconds(60)) == (1, 12, 2.0)
    assert run.none("nothing", [])
    assert not run.none("something", ["a", "b"])
    assert (run.passed, run.failed) == (1, 1)
    assert "2 ['a', 'b']" in run.out.getvalue()


def test_hostile_questions_are_the_same_for_a_seed_and_fit_a_request_line(tmp_path):
    def asked(seed):
        run = Run("x", seed, 1, "sqlite", "embedded", tmp_path)
        return list(questions(run.chance("questions"), 800))

    assert asked(1) == asked(1) != asked(2)
    assert all(q.path.startswith("/") and " " not in q.path and "\n" not in q.path for q in asked(1))
    assert {q.judged for q in asked(1)} == {"", "nothing", "same", "kind"}


# Gate and engine → whether a sabotage is tried there too: one a gate. The other combinations take minutes at any scale
# and are left to `accept --all` and `accept --all --all-sabotage`.
TRIED = {
    ("search-death", "embedded"): True,
    ("search-death", "elasticsearch"): False,
    ("es-outage", "embedded"): True,
    ("es-outage", "elasticsearch"): False,
    ("reindex-live", "elasticsearch"): True,
    ("task-chaos", "embedded"): True,
}
SMALL = [pytest.param(*tried, id="-".join(tried)) for tried in TRIED]
# Only what one process does: killing workers and Redis takes minutes at any scale (`accept task-chaos`).
PARTS = {"task-chaos": "process"}


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize(("name", "engine"), SMALL)
def test_a_gate_passes_and_notices_a_sabotage(folder, name, engine):
    asked = {"name": name, "engine": engine, "scale": 0.02, "only": PARTS.get(name, "")}
    code, said = _run(folder, **asked)
    assert code == 0, said
    assert said.splitlines()[-1].endswith(" passed, 0 failed")
    assert "scale 0.02" in said
    if not TRIED[name, engine]:
        return
    sabotage = next(iter(GATES[name].sabotages_on(engine)))
    code, said = _run(folder, **asked, sabotage=sabotage)
    assert code == 1, said
