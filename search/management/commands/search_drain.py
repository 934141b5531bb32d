"""search_drain: take in what waits for the index, or wait for the site to do it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search import changes
from search.engines import EngineDown, EngineUnavailable, close_engine
from search.models import SearchChange

POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = "把待更新的改动写入索引；网站正在运行时由网站写入，本命令等它写完"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=60.0, help="最多等待的秒数")

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["timeout"]
        indexed = dropped = 0
        try:
            while True:
                drained = changes.drain(until=deadline)
                indexed, dropped = indexed + drained.indexed, dropped + drained.dropped
                if drained.rebuilt:
                    self.stdout.write(f"索引已重建（{drained.rebuilt}）")
                if not changes.waiting() or time.monotonic() >= deadline:
                    break
                time.sleep(POLL_SECONDS)
        except EngineUnavailable as error:
            raise CommandError(str(error), returncode=2) from error
        except EngineDown as error:
            raise CommandError(f"索引不能写入，改动仍在等待：{error}", returncode=1) from error
        finally:
            close_engine()
        waiting, parked = changes.waiting(), SearchChange.objects.parked().count()
        self.stdout.write(f"写入 {indexed} 条，移除 {dropped} 条，等待 {waiting} 条，搁置 {parked} 条")
        if waiting or parked:
            raise CommandError("还有改动没有写入，原因见 search_status", returncode=1)
