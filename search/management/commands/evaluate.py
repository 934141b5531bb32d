"""evaluate: score run files against judged data. Touches no database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search.evaluation import METRICS, BadFile, counted, evaluate, read_judgments, read_run

RUN_SUFFIX = ".run.jsonl"
JUDGED_SUFFIX = "_qrels.jsonl"


class Command(BaseCommand):
    help = "按判断数据给排序文件打分：nDCG@10、jnDCG@10、Recall@20、MRR、Judged@10"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--runs", required=True, type=Path, help="含 <任务>.run.jsonl 的文件夹")
        parser.add_argument("--data", required=True, type=Path, help="含 <任务>_qrels.jsonl 的文件夹")
        parser.add_argument("--json", action="store_true", help="最后一行打印一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        runs = sorted(options["runs"].glob(f"*{RUN_SUFFIX}")) if options["runs"].is_dir() else []
        if not runs:
            raise _not_run(f"{options['runs']} 中没有 *{RUN_SUFFIX}")
        scores: dict[str, dict[str, float]] = {}
        for path in runs:
            task = path.name.removesuffix(RUN_SUFFIX)
            try:
                judged = read_judgments(options["data"] / f"{task}{JUDGED_SUFFIX}")
                scores[task] = evaluate(read_run(path), judged)
            except BadFile as error:
                raise _not_run(str(error)) from error
            figures = "  ".join(f"{name} {scores[task][name]:.4f}" for name in METRICS)
            self.stdout.write(f"{task}: demands {len(counted(judged))}  {figures}")
        if options["json"]:
            self.stdout.write(json.dumps(scores))


def _not_run(reason: str) -> CommandError:
    """Could not run: exit code 2, never a silent fallback."""
    return CommandError(reason, returncode=2)
