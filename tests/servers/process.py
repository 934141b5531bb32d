"""A server in the foreground under our own process: start, stop, kill, freeze, with a bound on every wait."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from . import guard
from .ports import free_port

POLL = 0.05


class ServerError(Exception):
    """Something is wrong with a server; the text is for a person, in Chinese, with the cure where there is one."""


class Unavailable(ServerError):
    """This server cannot be had on this machine."""


class StartFailed(ServerError):
    """It is installed but did not come up, or did not go down."""


def family(pid: int) -> list[int]:
    """Give a process and all its descendants, parents first; those that end meanwhile are left out."""
    found, waiting = [], [pid]
    while waiting:
        one = waiting.pop(0)
        found.append(one)
        for thread in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                waiting += [int(child) for child in thread.read_text().split()]
    return found


class Server:
    """One server with its data in a folder that stays the caller's. Subclasses say what to run and when it answers."""

    name = "server"
    # What asks it to end cleanly, and how long that may take before it is killed.
    STOP_SIGNAL = signal.SIGTERM
    STOP_SECONDS = 25.0
    START_SECONDS = 30.0

    def __init__(self, folder: Path | str, port: int | None = None) -> None:
        self.folder = Path(folder).absolute()
        self.port = port or free_port()
        self.log = self.folder / f"{self.name}.log"
        self._process: subprocess.Popen | None = None
        self._log_from = 0

    # What a subclass says.

    @classmethod
    def install(cls) -> None:
        """Make sure that it can be started; raises Unavailable with the cure."""

    def command(self) -> list[str]:
        raise NotImplementedError

    def prepare(self) -> None:
        """Lay out the folder before a start; may be called on a folder that was used before."""

    def answers(self) -> bool:
        """Tell whether it serves; bounded to about two seconds."""
        raise NotImplementedError

    def options(self) -> dict:
        """More arguments for Popen."""
        return {}

    # What callers use.

    @property
    def pid(self) -> int:
        """The number of the running process; raises StartFailed where there is none."""
        if self._process is None:
            raise StartFailed(f"{self.name} 没有在运行。")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def is_up(self) -> bool:
        """Tell whether the process lives and answers."""
        return self.is_running and self.answers()

    def start(self) -> Self:
        """Start and wait until it answers; raises StartFailed with the end of its log. Nothing to do when it runs."""
        if not self.is_running:
            self.launch()
            self.wait()
        return self

    def launch(self) -> None:
        """Start without waiting; `wait` must follow."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.prepare()
        with self.log.open("ab") as output:
            self._log_from = output.tell()
            # Its output goes to a file: who holds a pipe's end would wait for the server. A session of its own keeps
            # Ctrl-C at our terminal away from it.
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **{"cwd": self.folder, **self.options()},
            )
        guard.watch(self._process.pid)

    def wait(self) -> None:
        """Wait until it answers; ends it again and raises StartFailed when it does not."""
        limit = time.monotonic() + self.START_SECONDS
        try:
            while not self.is_up():
                if not self.is_running:
                    raise StartFailed(f"{self.name} 启动后随即退出（{self.log}）：\n{self.tail()}")
                if time.monotonic() > limit:
                    raise StartFailed(
                        f"{self.name} 在 {self.START_SECONDS:.0f} 秒内没有就绪（{self.log}）：\n{self.tail()}"
                    )
                time.sleep(POLL)
        except BaseException:
            self.kill()
            raise

    def output(self) -> str:
        """What it wrote since its last start."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(self._log_from)
            return file.read().decode(errors="replace")

    def tail(self, lines: int = 15) -> str:
        return "\n".join(self.output().splitlines()[-lines:])

    def stop(self) -> None:
        """End it cleanly, or by force when it takes longer than STOP_SECONDS; nothing to do when it does not run."""
        if not self.is_running:
            return self.kill()
        members = family(self.pid)
        self.thaw()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, self.STOP_SIGNAL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(self.STOP_SECONDS)
        self._finish({*members, *family(self.pid)})

    def kill(self) -> None:
        """SIGKILL to it and all its descendants, and wait until they are gone."""
        if self._process is not None:
            self._finish(set(family(self.pid)))

    def _finish(self, members: set[int]) -> None:
        """End all of these, whatever became of the first, and forget the process."""
        pid = self.pid
        # Waited for: the number of a process that has ended may be another's.
        ended = self._process.poll() is not None
        for one in members - ({pid} if ended else set()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        self._process.wait(10)
        guard.forget(pid)
        self._process = None
        _wait_gone(members - {pid})

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT: goes on as if nothing had been."""
        self._signal_all(signal.SIGCONT)

    def _signal_all(self, number: signal.Signals) -> None:
        for one in family(self.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, number)

    def __enter__(self) -> Self:
        self.install()
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} port={self.port} folder={self.folder}>"


def _wait_gone(pids: set[int], seconds: float = 10.0) -> None:
    """Wait until none of these (orphans by now) exists; a zombie counts as gone."""
    limit = time.monotonic() + seconds
    while any(exists(pid) for pid in pids):
        if time.monotonic() > limit:
            raise StartFailed(f"进程 {sorted(pids)} 在 {seconds:.0f} 秒内没有结束。")
        time.sleep(POLL)


def exists(pid: int) -> bool:
    """Tell whether this process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state not in "ZX"


@contextlib.contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Frozen inside the block, thawed after it whatever happens there."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()
