"""A scratch market: its folder, its database, its servers and the processes under test. All of it ends with the run."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from tests import servers
from tests.servers import guard

from .gate import CannotRun, Run

ROOT = Path(__file__).resolve().parent.parent.parent
PREFIX = "gate"
START_SECONDS = 60.0


class Child:
    """A process under test in a group of its own, its output in a file."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.gates.child", *arguments],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        guard.watch(self.process.pid)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def children(self) -> list[int]:
        """Process numbers of its own children: gunicorn's or Celery's workers."""
        try:
            text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        except OSError:
            return []
        return [int(one) for one in text.split()]

    def signal(self, number: signal.Signals) -> None:
        """To the whole group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """SIGKILL to the whole group; returns when it is gone."""
        self.signal(signal.SIGKILL)
        self.process.wait(20)
        guard.forget(self.process.pid)

    def stop(self, seconds: float = 20.0) -> int:
        """SIGTERM, then by force; the exit code."""
        if self.is_running:
            self.signal(signal.SIGCONT)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
        self.kill()
        return self.process.returncode

    def tail(self, lines: int = 20) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


class Template:
    """A migrated database and collected static files, made once for all the markets of one call."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.static = folder / "static"

    def make(self, world: World) -> None:
        """Migrate the database that the world names, and collect static files once."""
        if not self.static.exists():
            world.manage("collectstatic", "--noinput", "--verbosity=0", DATA_DIR=str(self.folder))
        world.manage("migrate", "--noinput", "--verbosity=0", timeout=240)


class World:
    """One market. `environment` is all that its processes see, whatever the shell has set."""

    def __init__(self, run: Run, template: Path, *, use_redis: bool = False) -> None:
        self.run = run
        self.folder = run.folder / "market"
        self.folder.mkdir(parents=True)
        self.template = Template(template)
        self.use_redis = use_redis
        self.children: list[Child] = []
        self.servers = contextlib.ExitStack()
        self.elastic: servers.Elasticsearch | None = None
        self.redis: servers.Redis | None = None
        self.postgres: servers.Postgres | None = None
        self.port = servers.free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", str(self.folder)),
            "DATA_DIR": str(self.folder),
            "PORT": str(self.port),
            "DEMO": "0",
            "SECRET_KEY": "gates-only-" + "x" * 50,
            # One test client asks as many: each of its questions names another visitor's address.
            "TRUSTED_PROXIES": "1",
            "PYTHONUTF8": "1",
            "PYTHONUNBUFFERED": "1",
            "LC_ALL": "C.UTF-8",
            "DJANGO_SETTINGS_MODULE": "marketplace.settings.base",
            **({"GATE_SABOTAGE": run.sabotage} if run.sabotage else {}),
        }

    # Beginning and end

    def __enter__(self) -> World:
        try:
            self._start_servers()
            self._lay_database()
        except servers.Unavailable as error:
            self.close()
            raise CannotRun(str(error)) from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process that was started here."""
        for child in self.children:
            child.stop(8)
        self.children.clear()
        self.servers.close()

    def _start_servers(self) -> None:
        folder = self.run.folder
        if self.run.engine == "elasticsearch":
            self.elastic = self.servers.enter_context(servers.Elasticsearch(folder / "elasticsearch"))
            self.environment |= {"SEARCH_URL": self.elastic.url, "SEARCH_PREFIX": PREFIX}
        if self.use_redis:
            self.redis = self.servers.enter_context(servers.Redis(folder / "redis"))
            self.environment["REDIS_URL"] = self.redis.url
        if self.run.db == "postgres":
            self.postgres = self.servers.enter_context(servers.Postgres(folder / "postgres"))

    def _lay_database(self) -> None:
        if self.postgres is not None:
            self.environment["DATABASE_URL"] = self.postgres.create_database("market")
            self.template.make(self)
        else:
            kept = self.template.folder / "market.sqlite3"
            if not kept.exists():
                self.template.make(self)
                with contextlib.closing(sqlite3.connect(self.database)) as database:
                    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                shutil.copy(self.database, kept.with_suffix(".new"))
                kept.with_suffix(".new").rename(kept)
            else:
                shutil.copy(kept, self.database)
        (self.folder / "static").symlink_to(self.template.static)

    @property
    def database(self) -> Path:
        return self.folder / "market.sqlite3"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # Processes

    def start(self, *arguments: str, log: str = "", **environment: str) -> Child:
        """Start a child with the shim; its output goes to `log`.log."""
        path = self.run.folder / f"{log or arguments[0]}.log"
        child = Child(arguments, {**self.environment, **environment}, path)
        self.children.append(child)
        return child

    def call(self, *arguments: str, timeout: float = 120, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a child to its end; its output is in the answer. Raises TimeoutExpired."""
        return subprocess.run(
            [sys.executable, "-m", "tests.gates.child", *arguments],
            cwd=ROOT,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def manage(self, *arguments: str, timeout: float = 120, **environment: str) -> str:
        """A command of manage.py that must work; its output. Raises RuntimeError."""
        done = self.call("manage", *arguments, timeout=timeout, **environment)
        if done.returncode:
            raise RuntimeError(
                f"manage {' '.join(arguments)} → {done.returncode}\n{done.stdout}\n{done.stderr[-3000:]}"
            )
        return done.stdout

    def act(self, name: str, *arguments: object, timeout: float = 120, **environment: str) -> str:
        """One act of tests.gates.acts that must work; its output."""
        done = self.call("act", name, *map(str, arguments), timeout=timeout, **environment)
        if done.returncode:
            raise RuntimeError(f"act {name} → {done.returncode}\n{done.stdout}\n{done.stderr[-3000:]}")
        return done.stdout

    def site(self, *, ready: bool = True, port: int | None = None, **environment: str) -> Child:
        """The site, answering, from now on at `port` where one is given. Raises RuntimeError where it does not within
        a minute."""
        if port is not None:
            self.port = port
            self.environment["PORT"] = str(port)
        child = self.start("site", **environment)
        end = time.monotonic() + START_SECONDS
        while self.status("/healthz") != 200:
            if not child.is_running or time.monotonic() > end:
                raise RuntimeError(f"the site did not start\n{child.tail()}")
            time.sleep(0.1)
        if ready:
            self.wait_ready()
        return child

    def wait_ready(self, seconds: float = 120) -> float:
        """Wait for /readyz; how long that took. Raises RuntimeError."""
        began = time.monotonic()
        while self.status("/readyz") != 200:
            if time.monotonic() - began > seconds:
                raise RuntimeError(f"not ready after {seconds:.0f} s: {self.text('/readyz')}")
            time.sleep(0.2)
        return time.monotonic() - began

    def status(self, path: str, timeout: float = 10) -> int:
        """HTTP status of a page; 0 where nobody answers."""
        return self._get(path, timeout)[0]

    def text(self, path: str, timeout: float = 10) -> str:
        return self._get(path, timeout)[1]

    def _get(self, path: str, timeout: float) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=timeout) as answer:  # noqa: S310 (our own site)
                return answer.status, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode(errors="replace")
        except OSError as error:
            return 0, str(error)

    # The database, without Django

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows of one statement, read beside the processes under test; placeholders are `?`."""
        if self.postgres is not None:
            import psycopg

            with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as server:
                return list(server.execute(text.replace("?", "%s"), values).fetchall())
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as database:
            return list(database.execute(text, values).fetchall())

    def change(self, text: str, *values: Any) -> None:
        """Change rows past the product, as a hand at the database's console does."""
        if self.postgres is not None:
            import psycopg

            with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as server:
                server.execute(text.replace("?", "%s"), values)
            return
        with contextlib.closing(sqlite3.connect(self.database, timeout=30)) as database, database:
            database.execute(text, values)


@contextlib.contextmanager
def market(run: Run, *, use_redis: bool = False) -> Iterator[World]:
    """A market of its own in the run's folder, gone afterwards with all its processes."""
    with World(run, run.folder.parent / "template", use_redis=use_redis) as world:
        yield world


def wait_until(done: Any, seconds: float, pause: float = 0.2) -> float | None:
    """Wait until `done()` is true; after how many seconds that was, None where it never was."""
    began = time.monotonic()
    while True:
        if done():
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            return None
        time.sleep(pause)
