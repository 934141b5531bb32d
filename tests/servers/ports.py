"""Ports for servers that must find their port free again after a kill."""

from __future__ import annotations

import random
import socket

# Below the range from which the kernel takes ports for outgoing connections: a client's socket would otherwise sit on
# the port of a server that is down for a moment.
FIRST, LAST = 11000, 19999
_given: set[int] = set()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Give a port that nobody listens on, never the same twice in one process."""
    chance = random.SystemRandom()
    for _ in range(2000):
        port = chance.randint(FIRST, LAST)
        if port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {FIRST} and {LAST}")


def answers(port: int, timeout: float = 1.0) -> bool:
    """Tell whether something accepts connections there; `timeout` in seconds."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout).close()
    except OSError:
        return False
    return True
