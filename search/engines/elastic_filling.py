"""Filling a new index: documents are read and analysed in the calling thread, sent from others, never many at once.

The caller's iterator reads the database through the calling thread's connection and may write to the engine itself
between two documents; it is never touched from another thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from ..query import Document
from . import EngineDown
from . import elastic_documents as fields
from .elastic_bulk import Item, Written, chunks, send
from .elastic_client import FILL, Line

SENDERS = 2
# Requests under way or waiting: what bounds the memory, about 5 MB each.
WAITING = 4
# Every so many documents one is remembered and looked for in the finished index.
SAMPLE = 997


@dataclass
class Filled:
    """What a filling wrote, and some of its documents by id with their versions."""

    written: Written = field(default_factory=Written)
    sample: dict[str, int] = field(default_factory=dict)


def fill(line: Line, index: str, documents: Iterable[Document]) -> Filled:
    """Write documents into an index that nobody reads yet. Raises EngineDown, and whatever the iterator raises."""
    done = Filled()
    under_way: set[Future[Written]] = set()
    with ThreadPoolExecutor(SENDERS, thread_name_prefix="search-fill") as senders:
        try:
            for chunk in chunks(_items(documents, done)):
                if len(under_way) >= WAITING:
                    finished, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                    _collect(finished, done)
                under_way.add(senders.submit(send, line, index, chunk, FILL))
            _collect(under_way, done)
        except BaseException:
            for future in under_way:
                future.cancel()
            raise
    return done


def _collect(finished: Iterable[Future[Written]], done: Filled) -> None:
    for future in finished:
        done.written.add(future.result())


def _items(documents: Iterable[Document], done: Filled) -> Iterator[Item]:
    for number, given in enumerate(documents):
        try:
            item = (given.id, *fields.document(given))
        except (ValueError, TypeError, OverflowError) as error:
            done.written.refused[given.id] = str(error)
            continue
        if number % SAMPLE == 0:
            done.sample[given.id] = given.version
        yield item


def verify(line: Line, index: str, filled: Filled) -> None:
    """Raise EngineDown where the filled index holds less than was written into it."""
    count = line.ask(FILL, lambda client: client.count(index=index))["count"]
    if count < filled.written.created:
        raise EngineDown(f"the new index holds {count} documents, {filled.written.created} were written")
    wanted = {name: version for name, version in filled.sample.items() if name not in filled.written.refused}
    if not wanted:
        return
    answer = line.ask(FILL, lambda client: client.mget(index=index, ids=list(wanted), source=False))
    found = {row["_id"]: row.get("_version", -1) for row in answer["docs"]}
    lost = [name for name, version in wanted.items() if found.get(name, -1) < version]
    if lost:
        raise EngineDown(f"the new index lacks {len(lost)} of {len(wanted)} documents looked for, first {lost[0]}")
