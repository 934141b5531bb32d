"""Holds the development servers as children, in a session of its own, until told to end."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from .place import DATABASE, NAMES, Place, address, put
from .postgres import Postgres
from .process import Server, ServerError

SETTINGS = {"postgres": "DATABASE_URL", "redis": "REDIS_URL", "elasticsearch": "SEARCH_URL"}
POLL = 0.1


class Supervisor:
    """Brings the running servers in line with `wanted.json` each time that its generation changes."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.running: dict[str, Server] = {}
        self.is_ending = False

    def end(self, *_signal: object) -> None:
        self.is_ending = True
        # Also out of a start that waits: what it had begun is ended on the way.
        raise SystemExit(0)

    def work(self) -> None:
        """Until a signal ends it; then all servers are stopped and their addresses removed."""
        signal.signal(signal.SIGTERM, self.end)
        signal.signal(signal.SIGINT, self.end)
        generation = -1
        try:
            while True:
                wanted = self.place.read("wanted")
                if wanted and wanted["generation"] != generation:
                    generation = wanted["generation"]
                    self.settle(wanted["names"], generation)
                time.sleep(POLL)
        finally:
            self.stop_all()

    def settle(self, names: list[str], generation: int) -> None:
        """Stop what is not wanted, start what is, and tell of it in `state.json`."""
        problems = []
        for name in [one for one in self.running if one not in names]:
            self.running.pop(name).stop()
        for name in names:
            try:
                self.bring(name)
            except ServerError as error:
                self.running.pop(name, None)
                problems.append(str(error))
        self.tell()
        self.place.write("state", {"generation": generation, "names": list(self.running), "problems": problems})

    def bring(self, name: str) -> None:
        server = self.running.get(name)
        if server and server.is_running:
            return
        self.place.settle_port(name)
        server = self.place.server(name)
        # Known before it starts: a signal meanwhile must find it.
        self.running[name] = server
        server.start()
        if isinstance(server, Postgres) and not server.has_database(DATABASE):
            server.create_database(DATABASE)

    def tell(self) -> None:
        """Write the addresses for `./run`, or remove the file when there are none."""
        lines = [f"{SETTINGS[name]}={address(server)}\n" for name, server in self.running.items() if name in SETTINGS]
        lines += [f"# {name}: {address(server)}\n" for name, server in self.running.items() if name not in SETTINGS]
        if lines:
            put(self.place.environment, "".join(lines))
        else:
            self.place.environment.unlink(missing_ok=True)

    def stop_all(self) -> None:
        # A second signal must not leave half of them behind.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.place.environment.unlink(missing_ok=True)
        self.place.remove("state")
        self.place.remove("wanted")
        # First what uses others.
        for name in reversed(NAMES):
            if server := self.running.pop(name, None):
                server.stop()


def main(data: str) -> int:
    """Supervise this DATA_DIR; 1 where another does already."""
    place = Place(Path(data))
    lock = place.take()
    if lock is None:
        sys.stderr.write("已有一个进程在管理这里的服务器。\n")
        return 1
    with lock:
        Supervisor(place).work()
    return 0
