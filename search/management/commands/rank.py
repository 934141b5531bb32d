"""rank: how the product's own matching orders a corpus of judged data. Touches no database and no DATA_DIR."""

from __future__ import annotations

import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search.engines import EngineDown, EngineUnavailable, open_engine
from search.evaluation import BadFile, rank, write_run

MODES = ("lexical", "static", "hybrid")
ENGINES = {"embedded": "embedded:"}


class Command(BaseCommand):
    help = "在只含给定语料的临时索引上，用与供需匹配相同的代码为每条查询排序"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--corpus", required=True, type=Path, help="语料，每行 {id,title,text}")
        parser.add_argument("--queries", required=True, type=Path, help="查询，每行 {id,title,text}")
        parser.add_argument("--out", required=True, type=Path, help="写出的排序文件")
        parser.add_argument("--engine", default="embedded", choices=["embedded", "elasticsearch"])
        parser.add_argument("--mode", default="lexical", choices=MODES)
        parser.add_argument("--top", type=int, default=200, help="每条查询取前几条")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["engine"] not in ENGINES:
            raise _not_run("本版本没有 Elasticsearch 引擎，请用 --engine embedded")
        if options["mode"] != "lexical":
            raise _not_run(f"本版本没有 {options['mode']} 模式所需的语义模型，请用 --mode lexical")
        if options["top"] < 1:
            raise _not_run("--top 至少为 1")
        with tempfile.TemporaryDirectory(prefix="rank-") as folder:
            try:
                engine = open_engine(ENGINES[options["engine"]], Path(folder))
                try:
                    run, timing = rank(engine, options["corpus"], options["queries"], top=options["top"])
                finally:
                    engine.close()
                write_run(run, options["out"])
            except (BadFile, EngineUnavailable, OSError) as error:
                raise _not_run(str(error)) from error
            except EngineDown as error:
                raise CommandError(f"检索引擎出错：{error}", returncode=1) from error
        self.stdout.write(
            f"{timing.documents} records, {timing.per_second:.0f} records/s; "
            f"{timing.queries} queries, p50 {timing.p50_ms:.2f} ms, p95 {timing.p95_ms:.2f} ms a query"
        )


def _not_run(reason: str) -> CommandError:
    """Could not run: exit code 2, never a silent fallback."""
    return CommandError(reason, returncode=2)
