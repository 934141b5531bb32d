"""A server small enough for every run: a parent that waits, and a child that holds the port with it."""

from __future__ import annotations

import sys

from tests.servers import Server
from tests.servers.ports import answers

SCRIPT = """
import os, socket, sys, time
line = socket.create_server(("127.0.0.1", int(sys.argv[1])))
if os.fork():
    os.wait()
print("serving", flush=True)
while True:
    time.sleep(60)
"""


class Small(Server):
    name = "small"
    START_SECONDS = 10.0

    def command(self) -> list[str]:
        return [sys.executable, "-c", SCRIPT, str(self.port)]

    def answers(self) -> bool:
        return answers(self.port) and "serving" in self.output()
