"""`./run services up|down|status`: the same real servers for development, that stay when the command has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

from .place import KINDS, NAMES, ROOT, Place, address
from .process import ServerError, StartFailed, Unavailable

# A server's own bound is shorter; only a machine that stands still comes here.
UP_SECONDS = 300.0
DOWN_SECONDS = 60.0
POLL = 0.05


def up(place: Place, names: list[str]) -> int:
    """Start these besides what runs, and return when all answer; 1 when one does not come up, 2 when not to be had."""
    try:
        for name in names:
            KINDS[name].install()
    except Unavailable as error:
        return _say(str(error), 2)
    with place.commanding():
        before = place.read("wanted").get("names", []) if place.supervisor() else []
        wanted = [name for name in NAMES if name in {*before, *names}]
        try:
            problems = _settle(place, wanted)
        except BaseException:
            # Interrupted, or nobody to do it: nothing stays that was not there before.
            _back_to(place, before)
            raise
        if problems:
            _back_to(place, before)
            return _say("\n".join(problems), 1)
    return status(place, names)


def down(place: Place, names: list[str]) -> int:
    """Stop these; the last one takes the supervisor with it."""
    with place.commanding():
        if place.supervisor() is None:
            place.environment.unlink(missing_ok=True)
            sys.stdout.write("没有服务器在运行。\n")
            return 0
        before = place.read("wanted").get("names", [])
        _back_to(place, [name for name in before if name not in names])
    stopped = " ".join(name for name in before if name in names)
    sys.stdout.write(f"已停止：{stopped or '没有在运行的'}\n")
    return 0


def status(place: Place, names: list[str] | None = None) -> int:
    """Print each with its address; 0 where all of them answer (without names: all that were started, at least one)."""
    supervised = place.read("wanted").get("names", []) if place.supervisor() else []
    is_fine = True
    for name in NAMES:
        server = place.server(name) if name in supervised else None
        answers = bool(server and server.answers())
        text = "没有启动"
        if server:
            text = address(server) if answers else f"没有应答，见 {server.log}"
        sys.stdout.write(f"{name:<14} {text}\n")
        is_fine = is_fine and (answers or (name not in names if names else server is None))
    return 0 if is_fine and supervised else 1


def _settle(place: Place, names: list[str]) -> list[str]:
    """Have the supervisor run exactly these; what went wrong, in words."""
    generation = time.time_ns()
    place.write("wanted", {"generation": generation, "names": names})
    if place.supervisor() is None:
        place.remove("state")
        _launch(place)
    limit = time.monotonic() + UP_SECONDS
    while place.read("state").get("generation") != generation:
        if place.supervisor() is None:
            raise StartFailed(f"管理服务器的进程结束了，见 {place.log}")
        if time.monotonic() > limit:
            raise StartFailed(f"服务器在 {UP_SECONDS:.0f} 秒内没有就绪，见 {place.log}")
        time.sleep(POLL)
    return place.read("state")["problems"]


def _launch(place: Place) -> None:
    """Leave a supervisor behind in a session of its own, and wait until it holds the lock."""
    with place.log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers", "supervise", str(place.folder.parent)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=ROOT,
        )
    try:
        while place.supervisor() is None:
            if process.poll() is not None:
                raise StartFailed(f"管理服务器的进程没有启动，见 {place.log}")
            time.sleep(POLL)
    except BaseException:
        process.terminate()
        process.wait(DOWN_SECONDS)
        raise
    # It outlives this command on purpose: nothing to warn of.
    process.returncode = 0


def _back_to(place: Place, names: list[str]) -> None:
    """Let only these run on; with none, end the supervisor and all it holds."""
    pid = place.supervisor()
    if pid is None:
        place.remove("wanted")
        place.environment.unlink(missing_ok=True)
    elif names:
        _settle(place, names)
    else:
        _end(place, pid)


def _end(place: Place, pid: int) -> None:
    os.kill(pid, signal.SIGTERM)
    limit = time.monotonic() + DOWN_SECONDS
    while place.supervisor() is not None:
        if time.monotonic() > limit:
            # Its guard takes the servers down with it.
            os.kill(pid, signal.SIGKILL)
            place.environment.unlink(missing_ok=True)
            return
        time.sleep(POLL)


def _say(text: str, code: int) -> int:
    sys.stderr.write(text + "\n")
    return code


def run(action: str, names: list[str], place: Place) -> int:
    """What was asked on the command line; the exit code."""
    try:
        if action == "up":
            return up(place, names or list(NAMES))
        if action == "down":
            return down(place, names or list(NAMES))
        return status(place, names)
    except ServerError as error:
        return _say(str(error), 1)
