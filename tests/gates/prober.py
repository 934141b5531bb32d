"""Somebody who searches over HTTP all the while: statuses and times of every answer, and who answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote


@dataclass(frozen=True)
class Answer:
    """One answer. `status` 0: the connection broke; `fallback`: the database answered for the engine."""

    path: str
    status: int
    seconds: float
    fallback: bool = False
    body: bytes = b""
    error: str = ""


def quantile(values: Iterable[float], share: float) -> float:
    """The value that `share` of all do not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


class Visitor:
    """One keep-alive connection; each question may come from another address."""

    def __init__(self, port: int, timeout: float = 20) -> None:
        self.port, self.timeout = port, timeout
        self._connection: http.client.HTTPConnection | None = None

    def get(self, path: str, address: str = "127.0.0.1") -> Answer:
        began = time.monotonic()
        # A connection that the server closed while nobody asked is opened again once; a fresh one that breaks is told.
        for attempt in (1, 2):
            fresh = self._connection is None
            try:
                if self._connection is None:
                    self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
                self._connection.putrequest("GET", path, skip_accept_encoding=True)
                self._connection.putheader("X-Forwarded-For", address)
                self._connection.endheaders()
                answer = self._connection.getresponse()
                body = answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.close()
                if fresh or attempt == 2:
                    return Answer(path, 0, time.monotonic() - began, error=f"{type(error).__name__}: {error}")
                continue
            if answer.will_close:
                self.close()
            fallback = answer.headers.get("X-Answered-By") == "database" or _unranked(path, body)
            return Answer(path, answer.status, time.monotonic() - began, fallback, body)
        raise AssertionError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _unranked(path: str, body: bytes) -> bool:
    """Whether the database answered a search of the API: only the engine gives scores."""
    if not path.startswith("/api/v1/search/"):
        return "检索服务暂时不可用".encode() in body
    try:
        rows = json.loads(body).get("results", [])
    except (ValueError, AttributeError):
        return False
    return bool(rows) and all(row.get("score") is None for row in rows)


PATHS = tuple(
    template.format(q=quote(word))
    for word in ("除氟", "储能", "煤层气 催化", "结晶", "草原修复")
    for template in ("/achievements/?q={q}", "/search/?q={q}", "/api/v1/search/?q={q}", "/api/v1/demands/?q={q}")
)


@dataclass
class Prober:
    """Asks `rate` times a second in a thread of its own, phase after phase. Use as a context."""

    port: int
    rate: float = 5.0
    paths: Sequence[str] = PATHS
    phase: str = "sound"
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Prober:
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(30)

    def _ask(self) -> None:
        visitor, turn = Visitor(self.port), 0
        while not self._stop.is_set():
            if visitor.port != self.port:
                visitor.close()
                visitor = Visitor(self.port)
            began, phase = time.monotonic(), self.phase
            path = self.paths[turn % len(self.paths)]
            answer = visitor.get(path, f"127.0.{turn // 250 % 250}.{turn % 250}")
            self.answers.setdefault(phase, []).append(answer)
            turn += 1
            self._stop.wait(max(0.0, 1 / self.rate - (time.monotonic() - began)))
        visitor.close()

    def of(self, *phases: str) -> list[Answer]:
        """The answers of some phases (of all where none is named)."""
        return [a for phase in phases or tuple(self.answers) for a in list(self.answers.get(phase, ()))]

    def wrong(self, *phases: str) -> list[str]:
        """Those that were no 200."""
        return [f"{a.status} {a.path} {a.error}".strip() for a in self.of(*phases) if a.status != 200]

    def statuses(self, *phases: str) -> Counter[int]:
        return Counter(a.status for a in self.of(*phases))

    def p99(self, *phases: str) -> float:
        return quantile((a.seconds for a in self.of(*phases)), 0.99)

    def fallbacks(self, *phases: str) -> int:
        return sum(a.fallback for a in self.of(*phases))
