"""Writing in bulk: chunks by bytes and count, and every item's answer judged for itself.

409 stale          fine: the index knows the same or a newer version
400 and the like   refused, with the server's reason; the others go on
429, 502, 503, 504 sent again with growing pauses, five times; then EngineDown
403 blocked        EngineDown: the index is closed for writing, all of it waits
404                Missing: the index was removed meanwhile
413                the chunk is halved; a single document that is too large is refused
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import ApiError

from . import EngineDown
from .elastic_client import Line, Missing

# A document is two lines, the action and the row; the id is kept beside them for its answer.
Item = tuple[str, bytes, bytes]

CHUNK_BYTES = 5_000_000
CHUNK_COUNT = 1_000
TRIES = 5
PAUSE = 0.1
_AGAIN = frozenset({429, 502, 503, 504})


@dataclass
class Written:
    """What a bulk did: `created` were not in the index before, `changed` were written at all; id → why refused."""

    created: int = 0
    changed: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def add(self, other: Written) -> None:
        self.created += other.created
        self.changed += other.changed
        self.refused |= other.refused


def chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Cut a stream into requests of at most 5 MB (a longer single document alone) and 1,000 documents."""
    chunk: list[Item] = []
    size = 0
    for item in items:
        length = len(item[1]) + len(item[2])
        if chunk and (size + length > CHUNK_BYTES or len(chunk) >= CHUNK_COUNT):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += length
    if chunk:
        yield chunk


def send(line: Line, index: str, chunk: list[Item], seconds: float) -> Written:
    """Write one chunk into one index. Raises EngineDown, Missing where the index is gone."""
    done = Written()
    left = chunk
    why = ""
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE * 2**attempt)
        try:
            answer = line.ask(seconds, lambda client, now=left: _request(client, index, now))  # type: ignore[misc]
        except EngineDown as error:
            status = getattr(error.__cause__, "status_code", None)
            if isinstance(error.__cause__, ApiError) and status == 413:
                return _halved(line, index, left, seconds, done)
            if status not in _AGAIN:
                raise
            why = str(error)
            continue
        left, why = _judge(left, answer["items"], done)
        if not left:
            return done
    raise EngineDown(f"Elasticsearch has no room for writing: {why}")


def _request(client: Any, index: str, chunk: list[Item]) -> Any:
    lines = [part for _, action, row in chunk for part in (action, row)]
    return client.bulk(index=index, operations=lines, timeout="5s", filter_path="items.*.status,items.*.error")


def _halved(line: Line, index: str, chunk: list[Item], seconds: float, done: Written) -> Written:
    if len(chunk) == 1:
        done.refused[chunk[0][0]] = "the document is too large for the server"
        return done
    middle = len(chunk) // 2
    for half in (chunk[:middle], chunk[middle:]):
        done.add(send(line, index, half, seconds))
    return done


def _judge(chunk: list[Item], answers: list[dict[str, Any]], done: Written) -> tuple[list[Item], str]:
    """Sort the answers into `done`; returns what is to be sent again and why. Raises EngineDown, Missing."""
    again: list[Item] = []
    why = ""
    for item, answer in zip(chunk, answers, strict=True):
        (result,) = answer.values()
        status, error = result["status"], result.get("error") or {}
        said = str(error.get("reason") or error.get("type") or "")[:300]
        if status < 300:
            done.changed += 1
            done.created += status == 201
        elif status == 404:
            raise Missing(said)
        elif status in _AGAIN:
            again.append(item)
            why = said
        elif status == 403:
            raise EngineDown(f"Elasticsearch is closed for writing: {said}")
        elif status != 409:
            done.refused[item[0]] = said
    return again, why
