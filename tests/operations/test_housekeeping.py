"""One process keeps house; nothing that a round raises ends it; it stops when told."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from marketplace import hints
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


class Named:
    """What a Celery task is to the housekeeper: something to call, with a name."""

    name = "test.named"

    def __init__(self):
        self.rounds = []

    def __call__(self):
        self.rounds.append(time.monotonic())


def test_a_hint_wakes_its_thread_at_once(tmp_path):
    task = Named()
    keeper = Housekeeper([Duty("index", 60, task)], FileLock(tmp_path / "lock"))
    keeper.start()
    assert _until(lambda: len(task.rounds) == 1)
    hinted = time.monotonic()
    hints.wakers[task.name]()
    assert _until(lambda: len(task.rounds) == 2)
    assert task.rounds[1] - hinted < 0.5
    keeper.stop()
    assert task.name not in hints.wakers


def test_a_hint_during_a_round_gets_a_round_of_its_own(tmp_path):
    gate, begun = threading.Event(), []

    def slow():
        begun.append(1)
        gate.wait()

    slow.name = "test.slow"
    keeper = Housekeeper([Duty("index", 60, slow)], FileLock(tmp_path / "lock"))
    keeper.start()
    assert _until(lambda: begun)
    hints.wakers[slow.name]()
    gate.set()
    assert _until(lambda: len(begun) == 2)
    keeper.stop()


def test_at_the_stop_the_running_round_ends_and_the_last_one_comes(tmp_path):
    done = []

    def round_():
        done.append("begun")
        time.sleep(0.3)
        done.append("ended")

    keeper = Housekeeper([Duty("index", 60, round_, last=lambda: done.append("last"))], FileLock(tmp_path / "lock"))
    keeper.start()
    assert _until(lambda: done)
    keeper.stop()
    assert done == ["begun", "ended", "last"]
    assert not keeper.threads[0].is_alive()


def test_a_stop_takes_no_longer_than_it_may_and_one_without_the_lock_does_no_last_round(tmp_path):
    last, gate = [], threading.Event()
    one = Housekeeper([Duty("jobs", 60, gate.wait)], FileLock(tmp_path / "lock"))
    two = Housekeeper([Duty("index", 60, lambda: None, last=lambda: last.append(1))], FileLock(tmp_path / "lock"))
    one.start()
    time.sleep(0.1)
    two.start()
    two.stop()
    began = time.monotonic()
    one.stop(wait=0.3)
    assert 0.2 < time.monotonic() - began < 1
    assert last == []
    gate.set()
    one.threads[0].join(5)


def test_with_workers_the_site_keeps_no_house(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert housekeeping.start() is None
    assert not [t for t in threading.enumerate() if t.name.startswith("housekeeping")]


def test_it_runs_in_no_test_and_in_no_command():
    assert housekeeping._running is None
    assert not [t for t in threading.enumerate() if t.name.startswith("housekeeping")]
    assert "marketplace.gunicorn" not in sys.modules
