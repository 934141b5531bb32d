"""Takes servers down with the process that started them, also when that one is killed.

The kernel's own death signal follows the *thread* that started a child: a server restarted from a test's thread would
end with it. Instead one small process waits until our end of a pipe closes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading

_SCRIPT = """
import os, signal, sys
groups = set()
for line in sys.stdin:
    word, number = line.split()
    (groups.add if word == "watch" else groups.discard)(int(number))
for number in groups:
    try:
        os.killpg(number, signal.SIGKILL)
    except OSError:
        pass
"""
_lock = threading.Lock()
_watched: set[int] = set()
# Which process (a fork has a guard of its own), and the end of the pipe that only it holds.
_pipe: tuple[int, int] | None = None


def _open() -> int:
    global _pipe
    if _pipe and _pipe[0] == os.getpid():
        return _pipe[1]
    theirs, ours = os.pipe()
    # Isolated and in a session of its own: what ends us (Ctrl-C, a closed terminal) does not reach it.
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", _SCRIPT],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        cwd="/",
    )
    os.close(theirs)
    # It outlives us on purpose, so nobody waits for it: not a fault to warn of.
    guard.returncode = 0
    _pipe = (os.getpid(), ours)
    return ours


def _tell(word: str, pid: int) -> None:
    os.write(_open(), f"{word} {pid}\n".encode())


def watch(pid: int) -> None:
    """Kill this process group when the calling process ends, however it ends."""
    with _lock:
        _watched.add(pid)
        try:
            _tell("watch", pid)
        except BrokenPipeError:
            _renew()


def forget(pid: int) -> None:
    """Leave it alone from now on: it ended, and its number may be another's soon."""
    with _lock:
        _watched.discard(pid)
        try:
            _tell("forget", pid)
        except BrokenPipeError:
            _renew()


def _renew() -> None:
    """The guard itself was killed: another takes over what it watched."""
    global _pipe
    if _pipe:
        os.close(_pipe[1])
    _pipe = None
    for pid in _watched:
        _tell("watch", pid)
