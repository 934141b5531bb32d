"""What the site does by itself in the default mode: index, match and do jobs each second, what is due each minute.

Threads of the one site process, started by gunicorn alone: never in a test or a command. Exactly one process does it,
the holder of a lock file in DATA_DIR; another one looks each second whether the lock has become free. Whatever a round
raises is logged, and the next round tries again: the rows it works off are the truth.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django import db
from django.conf import settings

from marketplace.deals import services as deals
from marketplace.jobs import runner
from search import changes
from search.engines import EngineDown, close_engine
from search.engines.locks import FileLock

from . import due

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Duty:
    """One thing done again and again: how long to rest after each round, and the round itself."""

    name: str
    seconds: float
    round: Callable[[], object]


def duties() -> list[Duty]:
    """What there is to do. Each has a thread of its own, so that a long round never holds up the index."""
    return [
        Duty("index", settings.DRAIN_SECONDS, changes.sweep),
        Duty("matches", settings.DRAIN_SECONDS, deals.work_off_due),
        Duty("due", settings.RUN_DUE_SECONDS, due.run_logged),
        Duty("jobs", settings.DRAIN_SECONDS, runner.work_off),
    ]


class Housekeeper:
    """The threads of one process. `start` returns at once; `stop` waits for the rounds that are running."""

    def __init__(self, wanted: Sequence[Duty], lock: FileLock) -> None:
        self.duties = wanted
        self.lock = lock
        self.stopping = threading.Event()
        self._taking = threading.Lock()
        self.threads = [
            threading.Thread(target=self._keep, args=(duty,), name=f"housekeeping-{duty.name}", daemon=True)
            for duty in wanted
        ]

    def start(self) -> None:
        for thread in self.threads:
            thread.start()

    def stop(self, wait: float = 5) -> None:
        """End after the present rounds, at most `wait` seconds; then the lock is free for another process."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(wait / len(self.threads))
        self.lock.release()

    def _mine(self) -> bool:
        """True where this process is the one that keeps house."""
        with self._taking:
            return self.lock.acquire()

    def _keep(self, duty: Duty) -> None:
        while not self.stopping.is_set():
            if self._mine():
                self.do(duty)
            self.stopping.wait(duty.seconds)

    @staticmethod
    def do(duty: Duty) -> None:
        """Do one round; nothing that it raises ends the thread, and its database connection is given back."""
        try:
            duty.round()
        except EngineDown as error:
            logger.warning("housekeeping %s waits: %s", duty.name, error)
        except Exception:
            logger.exception("housekeeping %s failed; it goes on", duty.name)
        finally:
            db.connections.close_all()


_running: Housekeeper | None = None


def start() -> Housekeeper:
    """Begin in this process, once."""
    global _running
    if _running is None:
        lock = FileLock(Path(settings.DATA_DIR) / "housekeeping.lock")
        _running = Housekeeper(duties(), lock)
        _running.start()
    return _running


def stop() -> None:
    """End in this process and give the search index back."""
    global _running
    if _running is not None:
        _running.stop()
        _running = None
        close_engine()
