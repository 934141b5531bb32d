"""A faulty network between the engine and Elasticsearch: passes everything on until it is told to fail.

pass       everything goes through
busy       a bulk or a search is answered 429, as by a node whose queue is full
items      a bulk goes through without every third item, whose answer is 429 and at the next try 503
cut        a bulk is done by the server and the connection closed before its answer
gone       connections are closed at once
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

MODES = ("pass", "busy", "items", "cut", "gone")
PRODUCT = {"X-Elastic-Product": "Elasticsearch"}


class FaultProxy:
    """Listens on `port`, speaks to the node at `target` (a port). Use as a context; `mode` may be set at any time."""

    def __init__(self, port: int, target: int) -> None:
        self.port, self.target, self.mode = port, target, "pass"
        self.done: Counter[str] = Counter()
        self.turn = itertools.count()
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


class _Handler(BaseHTTPRequestHandler):
    proxy: FaultProxy
    protocol_version = "HTTP/1.1"
    # Small answers at once: with Nagle's wait each would cost 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, *_arguments: Any) -> None:
        return

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        mode, is_bulk = self.proxy.mode, "/_bulk" in self.path
        if mode == "gone":
            self.proxy.done["gone"] += 1
            self.close_connection = True
            return
        if mode == "busy" and (is_bulk or "/_search" in self.path):
            self.proxy.done["busy"] += 1
            self._send(429, {"error": {"type": "es_rejected_execution_exception", "reason": "gate"}, "status": 429})
            return
        if mode == "items" and is_bulk:
            self._items(body)
            return
        status, headers, answer = self._forward(body)
        if mode == "cut" and is_bulk:
            self.proxy.done["cut"] += 1
            self.close_connection = True
            return
        self._send_raw(status, headers, answer)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _any

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.target, timeout=60)
        skipped = ("host", "connection", "content-length", "accept-encoding")
        headers = {name: value for name, value in self.headers.items() if name.lower() not in skipped}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            kept = {n: v for n, v in answer.getheaders() if n.lower() in ("content-type", "x-elastic-product")}
            return answer.status, kept, answer.read()
        except (OSError, http.client.HTTPException):
            # The node is away: so is what stands before it.
            self.close_connection = True
            raise ConnectionResetError from None
        finally:
            connection.close()

    def _items(self, body: bytes) -> None:
        """Hold back every third item and say that the node refused it."""
        pairs = _pairs(body.splitlines())
        held = {place for place in range(len(pairs)) if next(self.proxy.turn) % 3 == 0}
        passed = b"".join(line + b"\n" for place, pair in enumerate(pairs) if place not in held for line in pair)
        answers: list[Any] = []
        if passed:
            status, headers, answer = self._forward(passed)
            if status != 200:
                self._send_raw(status, headers, answer)
                return
            answers = json.loads(answer)["items"]
        items, rest = [], iter(answers)
        for place, pair in enumerate(pairs):
            if place not in held:
                items.append(next(rest))
                continue
            self.proxy.done["items"] += 1
            act, about = next(iter(json.loads(pair[0]).items()))
            code = 429 if place % 2 else 503
            fault = {"type": "es_rejected_execution_exception", "reason": "gate"}
            items.append({act: {"_id": about.get("_id"), "status": code, "error": fault}})
        has_errors = bool(held) or any(next(iter(item.values())).get("error") for item in items)
        self._send(200, {"took": 1, "errors": has_errors, "items": items})

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        # The client insists on the kind that it asked for.
        kind = self.headers.get("Accept") or "application/json"
        self._send_raw(status, {"Content-Type": kind, **PRODUCT}, json.dumps(answer).encode())

    def _send_raw(self, status: int, headers: dict[str, str], answer: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer)


def _pairs(lines: list[bytes]) -> list[tuple[bytes, ...]]:
    """The items of a bulk body: an action with its document, or a removal alone."""
    found: list[tuple[bytes, ...]] = []
    rest = iter(line for line in lines if line.strip())
    for line in rest:
        found.append((line,) if "delete" in json.loads(line) else (line, next(rest)))
    return found
