"""What an engine does, and which one the settings name.

Pages, matching and commands know only this protocol and the dataclasses of `search.query`; an engine that is asked in
vain raises EngineDown, and the page then answers from the database (`FilterSet.qs`) and says so.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ..query import Document, Hit, Query, Results


class EngineDown(Exception):
    """The engine cannot answer now: not reachable, being rebuilt, damaged. Nothing was lost; the rows wait."""


class EngineBusy(EngineDown):
    """Another process is the writer now. Reading works; what is to be written waits in `SearchChange`."""


class EngineUnavailable(Exception):
    """The settings name an engine that this installation does not have. Commands end with exit code 2."""


@dataclass(frozen=True)
class Status:
    """How an engine is: `state` is ok, missing, outdated (other analyser or fields), damaged (there, but cannot be
    read) or down (its servers do not answer).
    """

    engine: str
    state: str
    documents: int
    tombstones: int
    index_time: datetime | None
    analyzer_version: int | None
    schema_version: int | None
    detail: str = ""


class Engine(Protocol):
    """A place that keeps documents and finds them. Every write may come twice and in any order."""

    name: str
    # True where one process at a time writes, held off by a lock that dies with it; False where any may write at once.
    has_one_writer: bool

    def put(self, documents: Iterable[Document]) -> dict[str, str]:
        """Take in full documents; one older than what is known is passed over. Returns id → reason for those
        refused.
        """

    def drop(self, versions: Iterable[tuple[str, int]]) -> None:
        """Remove (id, version) pairs; a document of the same or an older version cannot come back afterwards."""

    def find(self, query: Query) -> Results:
        """Answer the box or a list, as strictly as a person counts. Raises EngineDown."""

    def similar(
        self, document: Document, *, kinds: Sequence[str] = (), limit: int = 200, exclude_owner: str = ""
    ) -> list[Hit]:
        """Rank documents by closeness to a text, best first. Raises EngineDown."""

    def frequencies(self, field: str, terms: Iterable[str]) -> tuple[int, dict[str, int]]:
        """Number of documents, and in how many of them each term stands."""

    def rebuild(self, documents: Iterable[Document]) -> dict[str, str]:
        """Make a new index of these documents alone and swap it in at once; the old one answers until then."""

    def needs_rebuild(self) -> str:
        """Why the index must be made anew before it can answer; empty when it can. Raises EngineDown where that cannot
        be known.
        """

    def hold(self) -> bool:
        """Become the writer until `close`, where an engine has only one: the site does. False where another process
        is.
        """

    def writing(self) -> AbstractContextManager[None]:
        """Be the writer for a while; writes inside it do not ask again. Raises EngineBusy where another process is."""

    def versions(self) -> dict[str, int]:
        """Every document that can be found, with its version."""

    def held(self, ids: Iterable[str]) -> dict[str, tuple[int, bool]]:
        """id → (version, whether it was removed) of those that the index knows: what reconciling compares."""

    def scan(self) -> Iterator[tuple[str, str, int]]:
        """(id, kind, version) of everything that the index knows, removed ones under the kind "~", in bounded memory.

        Raises EngineDown where it cannot be read to its end.
        """

    def refresh(self) -> None:
        """See what another process has written. Raises EngineDown."""

    def status(self) -> Status:
        """How the engine is; never raises."""

    def close(self) -> None:
        """Give back locks and files."""


_engine: tuple[int, str, Engine] | None = None
_lock = threading.Lock()


def open_engine(url: str, folder: Path, *, prefix: str = "market", shards: int = 1, replicas: int = 0) -> Engine:
    """Return the engine that a SEARCH_URL names: `embedded:`, in this folder, or servers of Elasticsearch, which are
    not asked before the first question. Raises EngineUnavailable for anything else.
    """
    if url.rstrip(":") == "embedded":
        from .embedded import EmbeddedEngine

        return EmbeddedEngine(folder)
    nodes = [node.strip() for node in url.split(",") if node.strip()]
    if nodes and all(node.startswith(("http://", "https://")) for node in nodes):
        from .elastic import ElasticEngine

        try:
            return ElasticEngine(nodes, prefix=prefix, shards=shards, replicas=replicas)
        except ValueError as error:
            raise EngineUnavailable(f"SEARCH_URL 中的地址不完整，应为 http://主机:9200[,…]：{error}") from error
    raise EngineUnavailable("没有这种检索引擎：SEARCH_URL 应为 embedded: 或 http://主机:9200[,…]")


def get_engine() -> Engine:
    """The site's engine, opened once a process (a forked worker opens its own)."""
    from django.conf import settings

    global _engine
    place = (settings.SEARCH_PREFIX, settings.SEARCH_SHARDS, settings.SEARCH_REPLICAS)
    key = f"{settings.SEARCH_URL} {settings.DATA_DIR} {place}"
    with _lock:
        if _engine is None or _engine[:2] != (os.getpid(), key):
            prefix, shards, replicas = place
            folder = Path(settings.DATA_DIR) / "search"
            opened = open_engine(settings.SEARCH_URL, folder, prefix=prefix, shards=shards, replicas=replicas)
            _engine = (os.getpid(), key, opened)
        return _engine[2]


def close_engine() -> None:
    """Forget the process's engine and give back its locks: at the end of a command or a test."""
    global _engine
    with _lock:
        if _engine is not None and _engine[0] == os.getpid():
            _engine[2].close()
        _engine = None
