"""`./run test --full`: the whole suite on real servers, installed where they are missing, started and stopped."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.servers import Elasticsearch, Nginx, Postgres, Redis, Server, ServerError, machine
from tests.servers.process import family

NAMES = ("postgres", "redis", "elasticsearch", "nginx", "chromium")
# What pytest gets to end by itself after a signal; all must be over in ten seconds.
END_SECONDS = 5.0


class Missing(Exception):
    """Wrong arguments; the text says which."""


def split(given: list[str]) -> tuple[set[str], list[str]]:
    """From the arguments: the names that may be missing, and what is pytest's; raises Missing for another name."""
    allowed, rest, waiting = set(), [], [one for one in given if one != "--full"]
    while waiting:
        word = waiting.pop(0)
        if word.startswith("--allow-missing"):
            _, equals, name = word.partition("=")
            name = name if equals else (waiting.pop(0) if waiting else "")
            if name not in NAMES:
                raise Missing(f"--allow-missing 之后应为 {'、'.join(NAMES)} 之一，现在是“{name}”。")
            allowed.add(name)
        else:
            rest.append(word)
    return allowed, rest


class Servers:
    """The servers of one run in a scratch folder; what cannot be had stands in `missing` with its reason."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="market-full-"))
        # The user `postgres` passes through it.
        self.folder.chmod(0o711)
        self.missing: dict[str, str] = {}
        self.running: dict[str, Server] = {}

    def start(self) -> dict[str, str]:
        """Start all that can be had, the slow one first; gives the environment of the tests."""
        made = {
            "elasticsearch": Elasticsearch(self.folder / "elasticsearch", heap=1024),
            "postgres": Postgres(self.folder / "postgres", durable=False),
            "redis": Redis(self.folder / "redis"),
        }
        for name, server in made.items():
            with self._noting(name):
                server.install()
                self.running[name] = server
                server.launch()
        for name in ("nginx", "chromium"):
            with self._noting(name):
                Nginx.install() if name == "nginx" else machine.chromium()
        for name, server in list(self.running.items()):
            with self._noting(name):
                server.wait()
        return self._environment()

    def _noting(self, name: str) -> _Noting:
        return _Noting(self, name)

    def _environment(self) -> dict[str, str]:
        found = {"TEST_FULL": "1"}
        if postgres := self.running.get("postgres"):
            found["TEST_DATABASE_URL"] = postgres.create_database("market")
        if redis := self.running.get("redis"):
            found["TEST_REDIS_URL"] = redis.url
        if elasticsearch := self.running.get("elasticsearch"):
            found["TEST_SEARCH_URL"] = elasticsearch.url
        return found

    def stop(self) -> None:
        """By force: nobody reads what they hold any more."""
        for server in self.running.values():
            server.kill()
        if postgres := self.running.get("postgres"):
            postgres.discard()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Noting:
    """What fails inside is noted under its name, and the others go on."""

    def __init__(self, servers: Servers, name: str) -> None:
        self.servers, self.name = servers, name

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, ServerError):
            return False
        self.servers.missing[self.name] = str(error)
        self.servers.running.pop(self.name, None)
        return True


def run_pytest(arguments: list[str], environment: dict[str, str]) -> int:
    """Run it as a child in a session of its own; a signal for us ends it and all that it started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments], env={**os.environ, **environment}, start_new_session=True
    )
    try:
        return process.wait()
    except BaseException:
        members = family(process.pid)
        # Its own way to end: the processes of xdist go with it.
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        for pid in {*members, *family(process.pid)}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        raise


def verdict(code: int, missing: dict[str, str], allowed: set[str]) -> int:
    """Say in the last lines what could not be had; the exit code of the run."""
    for name, reason in missing.items():
        note = "（已允许）" if name in allowed else ""
        sys.stdout.write(f"缺少 {name}{note}：{reason}\n")
    code = code if code in (0, 1) else 2
    return code or int(bool(set(missing) - allowed))


def main(given: list[str], arguments) -> int:
    """The whole run; `arguments` makes pytest's from what the caller gave. 0 passed, 1 failed, 2 could not run."""
    try:
        allowed, rest = split(given)
    except Missing as error:
        sys.stderr.write(f"{error}\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    servers, began = Servers(), time.monotonic()
    try:
        environment = servers.start()
        sys.stdout.write(f"服务器就绪：{' '.join(servers.running)}（{time.monotonic() - began:.1f} 秒）\n")
        sys.stdout.flush()
        code = run_pytest(arguments(rest), environment)
        sys.stdout.write(f"全部用时 {time.monotonic() - began:.0f} 秒\n")
        return verdict(code, servers.missing, allowed)
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        servers.stop()
