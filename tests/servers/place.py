"""Where the development servers of one market keep what they know of each other: files in DATA_DIR/services."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .elastic import Elasticsearch
from .nginx import Nginx
from .ports import free_port, is_free
from .postgres import Postgres
from .process import Server
from .redis import Redis

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = ("postgres", "redis", "elasticsearch", "nginx")
KINDS: dict[str, type[Server]] = {
    "postgres": Postgres,
    "redis": Redis,
    "elasticsearch": Elasticsearch,
    "nginx": Nginx,
}
DATABASE = "market"


def data_dir() -> Path:
    """DATA_DIR as the settings take it."""
    path = Path(os.environ.get("DATA_DIR") or ROOT / "var").expanduser()
    return path if path.is_absolute() else (Path.cwd() / path).resolve()


class Place:
    """The folder and its files. The supervisor holds the lock as long as it lives, so that a dead one is seen."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "services"
        self.environment = data / "services.env"
        self.log = self.folder / "supervisor.log"
        self._lock = self.folder / "lock"

    @contextlib.contextmanager
    def commanding(self) -> Iterator[None]:
        """One command at a time; a second waits for the first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "command.lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def take(self) -> IO[str] | None:
        """Become the supervisor of this place: the open lock to keep, or None where there is one already."""
        file = self._lock.open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        return file

    def supervisor(self) -> int | None:
        """The process that supervises now; what a killed one left behind counts for nothing."""
        try:
            with self._lock.open() as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    text = file.read().strip()
                    return int(text) if text else None
        except FileNotFoundError:
            pass
        return None

    def read(self, name: str) -> dict:
        """One of our JSON files; empty where there is none."""
        try:
            return json.loads((self.folder / f"{name}.json").read_text())
        except FileNotFoundError:
            return {}

    def write(self, name: str, content: dict) -> None:
        put(self.folder / f"{name}.json", json.dumps(content, ensure_ascii=False, indent=1))

    def remove(self, name: str) -> None:
        (self.folder / f"{name}.json").unlink(missing_ok=True)

    def server(self, name: str) -> Server:
        """The server of this name on the port that it had here before, where nobody else took that."""
        port = self.read("ports").get(name)
        if name == "nginx":
            return Nginx.proxy(self.folder / name, int(os.environ.get("PORT") or 8000), port)
        return KINDS[name](self.folder / name, port)

    def settle_port(self, name: str) -> None:
        """Before a start: keep the port of last time, or choose another when it is taken."""
        ports = self.read("ports")
        if name not in ports or not is_free(ports[name]):
            ports[name] = free_port()
            self.write("ports", ports)


def put(path: Path, text: str) -> None:
    """Write the whole file or none of it."""
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    scratch.write_text(text)
    scratch.replace(path)


def address(server: Server) -> str:
    """What a person or a setting is told."""
    return server.url(DATABASE) if isinstance(server, Postgres) else server.url  # type: ignore[attr-defined]
