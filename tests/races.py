"""Threads that race on a database of their own, each with its connection, as the workers of a site do."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections

from . import databases

PATIENCE = 90


@pytest.fixture
def elsewhere(db: None, tmp_path: Path) -> Iterator[Callable[[Callable[[], Any]], Any]]:
    """Runs an act in a new thread on a migrated database that only this test sees; what it raises is given back."""
    configured = connections.settings["default"]
    before = configured["NAME"]
    with databases.separate(tmp_path) as address:
        configured["NAME"] = databases.name_of(address)
        try:
            yield lambda act: together([act])[0]
        finally:
            configured["NAME"] = before


def together(acts: list[Callable[[], Any]]) -> list[Any]:
    """Start all acts at the same moment, each in its own thread and connection; what each gave or raised."""
    gate = threading.Barrier(len(acts))
    answers: list[Any] = [None] * len(acts)

    def run(n: int, act: Callable[[], Any]) -> None:
        try:
            gate.wait(20)
            answers[n] = act()
        except Exception as error:
            answers[n] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(n, act), daemon=True) for n, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in threads), "an act hangs: a lock that nobody gives back?"
    return answers


class Halfway:
    """Two acts in a fixed order: the first stops inside its transaction until the second has ended or waits for it.

    `first` is given a function to call where it should stop. PostgreSQL lets a second writer in meanwhile; SQLite
    makes it wait at BEGIN: on both, what matters is how things stand when both have ended.
    """

    def __init__(self, seconds: float = 1.0) -> None:
        self.seconds = seconds
        self._reached = threading.Event()
        self._second_ended = threading.Event()

    def stop(self) -> None:
        """Called by the first act: the second may begin; go on when it has ended, or after a while."""
        self._reached.set()
        self._second_ended.wait(self.seconds)

    def race(self, first: Callable[[], Any], second: Callable[[], Any]) -> list[Any]:
        """What each act gave or raised."""

        def then() -> Any:
            assert self._reached.wait(20), "the first act never came to its stop"
            try:
                return second()
            finally:
                self._second_ended.set()

        return together([first, then])


is_sqlite = connection.vendor == "sqlite"
