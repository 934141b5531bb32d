"""rank: how the product's own matching orders a corpus of judged data. Touches no database and no DATA_DIR."""

from __future__ import annotations

import secrets
import signal
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from search.engines import Engine, EngineDown, EngineUnavailable, open_engine
from search.evaluation import BadFile, rank, write_run

MODES = ("lexical", "static", "hybrid")
ENGINES = ("embedded", "elasticsearch")


class Command(BaseCommand):
    help = "在只含给定语料的临时索引上，用与供需匹配相同的代码为每条查询排序"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--corpus", required=True, type=Path, help="语料，每行 {id,title,text}")
        parser.add_argument("--queries", required=True, type=Path, help="查询，每行 {id,title,text}")
        parser.add_argument("--out", required=True, type=Path, help="写出的排序文件")
        parser.add_argument("--engine", default="embedded", choices=ENGINES)
        parser.add_argument("--mode", default="lexical", choices=MODES)
        parser.add_argument("--top", type=int, default=200, help="每条查询取前几条")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["mode"] != "lexical":
            raise _not_run(f"本版本没有 {options['mode']} 模式所需的语义模型，请用 --mode lexical")
        if options["top"] < 1:
            raise _not_run("--top 至少为 1")
        try:
            with _throw_away(options["engine"]) as engine:
                run, timing = rank(engine, options["corpus"], options["queries"], top=options["top"])
            write_run(run, options["out"])
        except (BadFile, EngineUnavailable, OSError) as error:
            raise _not_run(str(error)) from error
        except EngineDown as error:
            raise CommandError(f"检索引擎出错：{error}", returncode=1) from error
        self.stdout.write(
            f"{timing.documents} records, {timing.per_second:.0f} records/s; "
            f"{timing.queries} queries, p50 {timing.p50_ms:.2f} ms, p95 {timing.p95_ms:.2f} ms a query"
        )


@contextmanager
def _throw_away(name: str) -> Iterator[Engine]:
    """An engine with an index of its own, which is gone afterwards, whatever ends the command."""
    with tempfile.TemporaryDirectory(prefix="rank-") as folder:
        if name == "embedded":
            engine = open_engine("embedded:", Path(folder))
            try:
                yield engine
            finally:
                engine.close()
            return
        with _ended_by_signals():
            yield from _on_servers(Path(folder))


def _on_servers(folder: Path) -> Iterator[Engine]:
    from search.engines.elastic import ElasticEngine

    engine = open_engine(settings.SEARCH_URL, folder, prefix=f"rank-{secrets.token_hex(8)}")
    try:
        if not isinstance(engine, ElasticEngine):
            raise EngineUnavailable("没有 Elasticsearch：请把 SEARCH_URL 设为它的地址，如 http://127.0.0.1:9200")
        try:
            engine.needs_rebuild()
        except EngineDown as error:
            raise EngineUnavailable(f"连不上 SEARCH_URL 所指的 Elasticsearch：{error}") from error
        try:
            yield engine
        finally:
            engine.indexes.remove_all()
    finally:
        engine.close()


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does, so that what it made on the servers is removed."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _not_run(reason: str) -> CommandError:
    """Could not run: exit code 2, never a silent fallback."""
    return CommandError(reason, returncode=2)
