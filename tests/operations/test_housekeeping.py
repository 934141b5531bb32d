"""One process keeps house; nothing that a round raises ends it; it stops when told."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from marketplace.operations import housekeeping
from marketplace.operations.housekeeping import Duty, Housekeeper
from search.engines.locks import FileLock


@pytest.fixture(autouse=True)
def no_database(monkeypatch):
    """These threads ask no database; closing the test's connection from them would end its transaction."""
    monkeypatch.setattr(housekeeping.db.connections, "close_all", lambda: None)


def _until(true, seconds=5.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.01)
    return False


def test_a_round_that_raises_is_logged_and_the_next_one_comes(tmp_path, caplog):
    rounds = []

    def breaks():
        rounds.append(1)
        raise RuntimeError("坏了")

    keeper = Housekeeper([Duty("index", 0.01, breaks)], FileLock(tmp_path / "lock"))
    keeper.start()
    assert _until(lambda: len(rounds) >= 3)
    keeper.stop()
    assert "it goes on" in caplog.text


def test_a_long_duty_does_not_hold_up_the_others(tmp_path):
    gate, rounds = threading.Event(), []
    duties = [Duty("jobs", 0.01, gate.wait), Duty("index", 0.01, lambda: rounds.append(1))]
    keeper = Housekeeper(duties, FileLock(tmp_path / "lock"))
    keeper.start()
    assert _until(lambda: len(rounds) >= 5)
    gate.set()
    keeper.stop()


def test_only_the_holder_of_the_lock_works_and_another_takes_over_when_it_ends(tmp_path):
    first, second = [], []
    one = Housekeeper([Duty("index", 0.01, lambda: first.append(1))], FileLock(tmp_path / "lock"))
    two = Housekeeper([Duty("index", 0.01, lambda: second.append(1))], FileLock(tmp_path / "lock"))
    one.start()
    assert _until(lambda: first)
    two.start()
    time.sleep(0.1)
    assert second == []
    one.stop()
    assert _until(lambda: second)
    two.stop()


def test_without_the_lock_two_processes_would_both_work(tmp_path):
    """Negative control of the lock: two files, two workers."""
    first, second = [], []
    one = Housekeeper([Duty("index", 0.01, lambda: first.append(1))], FileLock(tmp_path / "a"))
    two = Housekeeper([Duty("index", 0.01, lambda: second.append(1))], FileLock(tmp_path / "b"))
    one.start()
    two.start()
    assert _until(lambda: first and second)
    one.stop()
    two.stop()


def test_it_runs_in_no_test_and_in_no_command():
    assert housekeeping._running is None
    assert not [t for t in threading.enumerate() if t.name.startswith("housekeeping")]
    assert "marketplace.gunicorn" not in sys.modules
