"""What the site does by itself where there is no Redis: the duties, each in a thread of the one site process.

Started by gunicorn alone: never in a test or a command. Exactly one process does it, the holder of a lock file in
DATA_DIR; another one looks each second whether the lock has become free. Whatever a round raises is logged, and the
next round tries again: the rows it works off are the truth. A hint wakes its thread at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from django import db
from django.conf import settings

from marketplace import hints
from marketplace.jobs import runner
from search.engines import EngineDown, close_engine
from search.engines.locks import FileLock

from .duties import Duty, duties

logger = logging.getLogger(__name__)


class Housekeeper:
    """The threads of one process. `start` returns at once; `stop` waits for the rounds that are running."""

    def __init__(self, wanted: Sequence[Duty], lock: FileLock) -> None:
        self.duties = wanted
        self.lock = lock
        self.stopping = threading.Event()
        self._taking = threading.Lock()
        # Each duty has a thread of its own, so that a long round never holds up the index.
        self.wakes = {duty.name: threading.Event() for duty in wanted}
        self.threads = [
            threading.Thread(target=self._keep, args=(duty,), name=f"housekeeping-{duty.name}", daemon=True)
            for duty in wanted
        ]

    def start(self) -> None:
        for duty in self.duties:
            if name := getattr(duty.task, "name", ""):
                hints.wakers[name] = self.wakes[duty.name].set
        for thread in self.threads:
            thread.start()

    def stop(self, wait: float = 5) -> None:
        """End after the present rounds and, where a duty has one, its last; at most `wait` seconds in all. Then the
        lock is free for another process."""
        until = time.monotonic() + wait
        self.stopping.set()
        for duty in self.duties:
            hints.wakers.pop(getattr(duty.task, "name", ""), None)
            self.wakes[duty.name].set()
        for thread in self.threads:
            thread.join(max(0.0, until - time.monotonic()))
        self.lock.release()

    def _mine(self) -> bool:
        """True where this process is the one that keeps house."""
        with self._taking:
            return self.lock.acquire()

    def _keep(self, duty: Duty) -> None:
        wake = self.wakes[duty.name]
        while not self.stopping.is_set():
            # Before the round: what is hinted at while it runs gets a round of its own.
            wake.clear()
            if self._mine():
                self.do(duty.name, duty.task)
            if not self.stopping.is_set():
                wake.wait(duty.seconds)
        if duty.last is not None and self.lock.held:
            self.do(duty.name, duty.last)

    @staticmethod
    def do(name: str, act: Callable[[], object]) -> None:
        """Do one round; nothing that it raises ends the thread, and its database connection is given back."""
        try:
            act()
        except EngineDown as error:
            logger.warning("housekeeping %s waits: %s", name, error)
        except Exception:
            logger.exception("housekeeping %s failed; it goes on", name)
        finally:
            db.connections.close_all()


_running: Housekeeper | None = None


def start() -> Housekeeper | None:
    """Begin in this process, once; None where workers do all of it (REDIS_URL)."""
    global _running
    if _running is None and not settings.REDIS_URL:
        lock = FileLock(Path(settings.DATA_DIR) / "housekeeping.lock")
        _running = Housekeeper([duty for duty in duties() if duty.in_process], lock)
        _running.start()
    return _running


def stop() -> None:
    """End in this process and give the search index back. A job that runs goes back to those that wait."""
    global _running
    if _running is not None:
        runner.stopping.set()
        _running.stop()
        runner.stopping.clear()
        _running = None
    close_engine()
