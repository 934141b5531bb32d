"""Redis, with its append-only file: tasks that were accepted survive a kill."""

from __future__ import annotations

import shutil
import socket

from . import machine
from .process import Server


class Redis(Server):
    name = "redis"
    STOP_SECONDS = 10.0

    @classmethod
    def install(cls) -> None:
        if not shutil.which("redis-server"):
            machine.apt("Redis", "redis-server")

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> list[str]:
        return [
            *(shutil.which("redis-server") or "redis-server", "--bind", "127.0.0.1", "--port", str(self.port)),
            *("--save", "", "--appendonly", "yes", "--dir", str(self.folder)),
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                line.settimeout(1)
                line.sendall(b"PING\r\n")
                # While it loads its file it answers -LOADING.
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False
