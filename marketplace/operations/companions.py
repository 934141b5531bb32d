"""The worker and the beat beside a site that one command started: `./run` with Redis does everything that it does
without.

In production each is a service of its own (docker/compose.yaml) and WITH_WORKERS is not set. As a program this module
becomes one of them: `python -m marketplace.operations.companions worker`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from types import FrameType

COMMANDS = {
    "worker": ["worker", "--without-gossip", "--without-mingle", "--without-heartbeat", "--concurrency", "2"],
    "beat": ["beat"],
}
# What is cut short goes back to the queue: tasks are acknowledged when they are done.
PATIENCE = 2.0
PR_SET_PDEATHSIG = 1

_running: list[subprocess.Popen[bytes]] = []


def wanted() -> bool:
    """True where this site was started together with its workers."""
    return bool(os.environ.get("REDIS_URL")) and os.environ.get("WITH_WORKERS") == "1"


def start() -> None:
    """Begin worker and beat as children of this process, once."""
    if not wanted() or _running:
        return
    for name in COMMANDS:
        command = [sys.executable, "-m", "marketplace.operations.companions", name, str(os.getpid())]
        _running.append(subprocess.Popen(command))  # noqa: S603
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _passing_on(before))


def _passing_on(before: Callable[[int, FrameType | None], object]) -> Callable[[int, FrameType | None], None]:
    """A handler that first asks the companions to end, so that they do while the site does."""

    def handle(number: int, frame: FrameType | None) -> None:
        for child in _running:
            child.terminate()
        before(number, frame)

    return handle


def stop(patience: float = PATIENCE) -> None:
    """End them: asked first, made to after `patience` seconds."""
    for child in _running:
        child.terminate()
    until = time.monotonic() + patience
    for child in _running:
        try:
            child.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    _running.clear()


def become(name: str, parent: int) -> None:
    """Become the worker or the beat of the site with this process id, and end with it however it ends."""
    # Linux; elsewhere a site that was killed leaves its worker behind, which does no harm.
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            return
    # What may end at once ends at once: see marketplace.celery. As root Celery warns; here root is whoever tries it.
    environment = {"REMAP_SIGTERM": "SIGQUIT", "PYTHONWARNINGS": "ignore:::celery.platforms"}
    os.environ.update(environment)
    os.execv(sys.executable, [sys.executable, "-m", "celery", "-q", "-A", "marketplace", *COMMANDS[name]])  # noqa: S606


if __name__ == "__main__":
    become(sys.argv[1], int(sys.argv[2]))
