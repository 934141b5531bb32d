"""PostgreSQL in a folder of its own. As root it runs as the user `postgres`, since it refuses root."""

from __future__ import annotations

import hashlib
import pwd
import shutil
import signal
import subprocess
from pathlib import Path

import psycopg
from psycopg import sql

from . import machine
from .process import Server, StartFailed, Unavailable

USER = "postgres"
# Where the given folder lies in a place that the user `postgres` may not enter, such as root's home.
ELSEWHERE = Path("/var/tmp")  # noqa: S108 (survives a restart of the machine; our folder in it is 0700)


def _binaries() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    if found:
        return found[-1].parent
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def _may_enter(folder: Path) -> bool:
    """Whether the user `postgres` may reach this folder: each above it lets others through."""
    return all(parent.stat().st_mode & 0o001 for parent in folder.absolute().parents if parent.exists())


class Postgres(Server):
    """`durable=False` trades the safety of a crash for speed: for tests that crash nothing."""

    name = "postgres"
    STOP_SIGNAL = signal.SIGINT  # "fast": open connections are ended, not waited for
    STOP_SECONDS = 20.0

    def __init__(self, folder: Path | str, port: int | None = None, *, durable: bool = True) -> None:
        super().__init__(folder, port)
        self.durable = durable
        self._moved = machine.is_root() and not _may_enter(self.folder)
        # No folder above another's: where it was moved to follows from where it should be.
        place = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        self.data = ELSEWHERE / f"market-postgres-{place}" if self._moved else self.folder / "data"

    @classmethod
    def install(cls) -> None:
        if not _binaries():
            machine.apt("PostgreSQL", "postgresql")
        if machine.is_root():
            try:
                pwd.getpwnam(USER)
            except KeyError:
                raise Unavailable("PostgreSQL 不能以 root 运行，而本机没有 postgres 用户。") from None

    def options(self) -> dict:
        if not machine.is_root():
            return {}
        entry = pwd.getpwnam(USER)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _program(self, name: str) -> str:
        folder = _binaries()
        if folder is None:
            raise Unavailable("没有安装 PostgreSQL。")
        return str(folder / name)

    def prepare(self) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        if machine.is_root():
            shutil.chown(self.data, USER, USER)
        done = subprocess.run(
            [
                *(self._program("initdb"), "-D", str(self.data), "-A", "trust", "-U", USER, "-E", "UTF8"),
                *("--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=60,
            check=False,
            cwd=self.data,
            **self.options(),
        )
        if done.returncode:
            raise StartFailed(f"PostgreSQL 的数据目录没有建成（{self.data}）：\n{done.stdout}")

    def command(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            # No socket file: its path may be longer than the 107 bytes that the kernel takes.
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_timezone": "UTC",
        }
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [
            *(self._program("postgres"), "-D", str(self.data)),
            *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
        ]

    def answers(self) -> bool:
        try:
            self._connect(seconds=2).close()
        except psycopg.Error:
            return False
        return True

    def _connect(self, database: str = "postgres", seconds: int = 10) -> psycopg.Connection:
        return psycopg.connect(self.url(database), connect_timeout=seconds, autocommit=True)

    def url(self, database: str = "market") -> str:
        """The address of a database of this server, as DATABASE_URL takes it."""
        return f"postgres://{USER}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str | None = None) -> str:
        """Create it and give its address; quickly from `template`, which nobody may be connected to meanwhile."""
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(template))
        with self._connect() as connection:
            connection.execute(statement)
        return self.url(name)

    def has_database(self, name: str) -> bool:
        with self._connect() as connection:
            return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone())

    def drop_database(self, name: str) -> None:
        """Drop it with its connections; nothing to do where it is not there."""
        with self._connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def discard(self) -> None:
        """Remove the data where it lies elsewhere: who removes the folder does not know of that place."""
        if self._moved:
            shutil.rmtree(self.data, ignore_errors=True)

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self.discard()
