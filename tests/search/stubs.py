"""A server that answers what a test wants of Elasticsearch: for what a real one does rarely and not on demand."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Stub:
    """Set `bulk` to the items' answers of each request in turn, `most_lines` to what is not too large, `hang` to let
    everybody wait. What was asked in bulk stands in `asked`, a list of lines each.
    """

    def __init__(self, product: str = "Elasticsearch") -> None:
        self.product = product
        self.bulk: list[list[dict[str, Any]]] = []
        self.most_lines = 1_000_000
        self.asked: list[list[str]] = []
        self.hang = threading.Event()
        self._ended = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, body: str) -> tuple[int, Any]:
        """Status and JSON for one request."""
        if "_bulk" not in path:
            return 200, {}
        lines = body.splitlines()
        if len(lines) > self.most_lines:
            return 413, {"error": "too large"}
        self.asked.append(lines)
        items = self.bulk.pop(0) if self.bulk else [{"status": 201}] * (len(lines) // 2)
        return 200, {"items": [{"index": item} for item in items]}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                while stub.hang.is_set() and not stub._ended.wait(0.05):
                    pass
                status, answer = stub.answer(self.path, body)
                sent = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/vnd.elasticsearch+json;compatible-with=8")
                self.send_header("Content-Length", str(len(sent)))
                if stub.product:
                    self.send_header("X-Elastic-Product", stub.product)
                self.end_headers()
                try:
                    self.wfile.write(sent)
                except OSError:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = do_HEAD = handle_one

            def log_message(self, *_: object) -> None:
                """Silent: the test says what matters."""

        return Handler
