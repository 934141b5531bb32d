"""How we speak to Elasticsearch: bounded in time, every failure one exception, and a server that is down costs once.

A call that no node answered closes the line for a moment: whoever asks meanwhile is told at once instead of waiting
for the same time-out, and the first one after it tries again for all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from elastic_transport import ConnectionTimeout, TransportError
from elasticsearch import ApiError, Elasticsearch, UnsupportedProductError

from . import EngineDown

logger = logging.getLogger(__name__)
# Of every attempt at a server that is down it would write a whole traceback; we say it once, when the line closes.
logging.getLogger("elastic_transport").setLevel(logging.ERROR)

# Seconds that one attempt may take, by what is asked.
LOOK, SEARCH, MATCH, WRITE, FILL = 1.0, 1.8, 10.0, 10.0, 30.0
# So long a server that did not answer is not asked again.
PAUSE = 2.0
CONNECTIONS = 16


class Missing(EngineDown):
    """What was asked for is not there (404): no index yet, or one that was removed meanwhile."""


class Line:
    """The client and what is known of the servers' being up. Its methods may be called from several threads."""

    def __init__(self, nodes: Sequence[str]) -> None:
        self.nodes = tuple(nodes)
        self.client = Elasticsearch(
            list(self.nodes),
            max_retries=max(1, min(3, len(self.nodes))),
            # One node that hangs would hang again; of several another may answer.
            retry_on_timeout=len(self.nodes) > 1,
            # Also what a cluster says while it finds a new master or a copy of a shard.
            retry_on_status=(429, 502, 503, 504) if len(self.nodes) > 1 else (),
            dead_node_backoff_factor=0.5,
            max_dead_node_backoff=5,
            connections_per_node=CONNECTIONS,
        )
        self._lock = threading.Lock()
        self._closed_until = 0.0
        self._why = ""

    def ask(self, seconds: float, what: Callable[[Elasticsearch], Any]) -> Any:
        """Do one thing with the client, each attempt within `seconds`. Raises EngineDown, Missing for a 404."""
        self._pass()
        try:
            answer = what(self.client.options(request_timeout=seconds))
        except TransportError as error:
            kind = "did not answer in time" if isinstance(error, ConnectionTimeout) else "cannot be reached"
            self._close(f"Elasticsearch {kind}: {error.message[:200]}")
            raise EngineDown(self._why) from error
        except UnsupportedProductError as error:
            raise EngineDown(f"not Elasticsearch: {error}") from error
        except ApiError as error:
            kind_of = Missing if error.status_code == 404 else EngineDown
            raise kind_of(f"Elasticsearch refused: {error.status_code} {reason(error)}") from error
        self._closed_until = 0.0
        return answer

    def _pass(self) -> None:
        """Raise EngineDown while the line is closed; the first to come after that keeps the others out once more."""
        with self._lock:
            now = time.monotonic()
            if now < self._closed_until:
                raise EngineDown(self._why)
            if self._closed_until:
                self._closed_until = now + PAUSE

    def _close(self, why: str) -> None:
        with self._lock:
            if not self._closed_until:
                logger.error("search: %s", why)
            self._why, self._closed_until = why, time.monotonic() + PAUSE

    def end(self) -> None:
        """Give back the connections."""
        self.client.close()


def whole(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of an answer about several documents, each of which may carry an error instead. Raises EngineDown,
    Missing.
    """
    for row in rows:
        if error := row.get("error"):
            kind_of = Missing if error.get("type") == "index_not_found_exception" else EngineDown
            raise kind_of(f"the index cannot be read: {error.get('reason')}")
    return rows


def reason(error: ApiError) -> str:
    """What the server says of a failure, short: its own words, never the request."""
    body = error.body
    found = body.get("error") if isinstance(body, dict) else None
    if isinstance(found, dict):
        causes = found.get("root_cause") or [found]
        return str(causes[0].get("reason") or found.get("reason") or found.get("type"))[:300]
    return str(found or error.message)[:300]
