"""`bench index`: the product's rebuild of a whole market, and the same documents written by the bare library.

Reading the rows is the database's part: `per_s` leaves it out and `whole_per_s` has it in. The reference gets its
documents analysed beforehand, so that what is compared is the price of analysis and of our own care.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from search import sources
from search.engines import Engine, get_engine
from search.query import Document

from .figures import Figures, Reference

LIMITS = {"per_s": 3_000.0, "rss_mb": 1_500.0, "index_mb": 1_200.0}
PREPARED = 10_000


class _Reading:
    """Every public document, with the seconds that reading them took and how many there were."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.count = 0

    def __iter__(self) -> Iterator[Document]:
        documents = sources.everything({})
        while True:
            begun = time.perf_counter()
            given = next(documents, None)
            self.seconds += time.perf_counter() - begun
            if given is None:
                return
            self.count += 1
            yield given


def measure(*, scale: int, seed: int, count: int) -> Figures:
    """Make the index anew. `count` and `seed` are the other benches'."""
    engine = get_engine()
    reading = _Reading()
    begun = time.perf_counter()
    engine.rebuild(reading)
    engine.refresh()
    taken = time.perf_counter() - begun
    resident = _resident_mb()
    size = _size_mb(engine)
    name, raw = _raw_tantivy() if engine.name == "embedded" else _raw_elastic(engine)
    return Figures(
        "index",
        scale,
        engine.name,
        Reference(name, per_s=raw),
        per_s=reading.count / max(1e-9, taken - reading.seconds),
        rss_mb=resident,
        more={"documents": reading.count, "whole_per_s": reading.count / taken, "index_mb": size},
    )


def _resident_mb() -> float:
    """The most that this process has had, before the reference adds its own."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _size_mb(engine: Engine) -> float:
    if engine.name == "embedded":
        folder = Path(settings.DATA_DIR) / "search"
        return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    elastic: Any = engine
    client = _client(elastic)
    client.indices.flush(index=elastic.indexes.reading)
    answer = client.indices.stats(index=elastic.indexes.reading, metric="store")
    return float(answer["_all"]["primaries"]["store"]["size_in_bytes"]) / 1e6


def _client(engine: Any) -> Any:
    from elasticsearch import Elasticsearch

    return Elasticsearch(list(engine.line.nodes), request_timeout=120)


def _prepared(make: Any) -> Iterable[list[Any]]:
    """All documents as the library takes them, some thousand at a time."""
    waiting: list[Any] = []
    for given in sources.everything({}):
        waiting.append(make(given))
        if len(waiting) >= PREPARED:
            yield waiting
            waiting = []
    if waiting:
        yield waiting


def _raw_tantivy() -> tuple[str, float]:
    """Records a second of a writer with as much memory and as many threads as ours has."""
    import tantivy

    from search.engines import tantivy_documents as fields
    from search.engines.embedded import REBUILD_MEMORY

    with tempfile.TemporaryDirectory(prefix="bench-raw-") as folder:
        index = fields.prepare(tantivy.Index(fields.schema(), folder))
        writer = index.writer(REBUILD_MEMORY, 1)
        written, seconds = 0, 0.0
        for chunk in _prepared(fields.document):
            begun = time.perf_counter()
            for one in chunk:
                writer.add_document(one)
            writer.commit()
            seconds += time.perf_counter() - begun
            written += len(chunk)
        begun = time.perf_counter()
        writer.wait_merging_threads()
        seconds += time.perf_counter() - begun
    return "tantivy writer, analysed beforehand", written / max(1e-9, seconds)


def _raw_elastic(engine: Any) -> tuple[str, float]:
    """Records a second of the client's own `parallel_bulk` into an index of the same mapping."""
    import json

    from elasticsearch.helpers import parallel_bulk

    from search.engines import elastic_documents as fields

    client, index = _client(engine), engine.indexes.begin()
    try:
        written, seconds = 0, 0.0
        for chunk in _prepared(lambda given: (given.id, json.loads(fields.document(given)[1]))):
            actions = [{"_op_type": "index", "_index": index, "_id": name, "_source": body} for name, body in chunk]
            begun = time.perf_counter()
            for done, answer in parallel_bulk(client, actions, thread_count=2, chunk_size=500):
                if not done:
                    raise RuntimeError(f"parallel_bulk: {answer}")
            seconds += time.perf_counter() - begun
            written += len(chunk)
        begun = time.perf_counter()
        client.indices.refresh(index=index)
        seconds += time.perf_counter() - begun
    finally:
        engine.indexes.discard(index)
    return "parallel_bulk, analysed beforehand", written / max(1e-9, seconds)
