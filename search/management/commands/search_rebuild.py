"""search_rebuild: fill a new index from the database and swap it in; with the site running, the site does it.

--rollback answers from the index before the last rebuild again, where the engine keeps one.
"""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search import changes, sources
from search.engines import EngineBusy, EngineDown, EngineUnavailable, close_engine, get_engine
from search.models import SearchChange

POLL_SECONDS = 0.2
# A line of progress each so many seconds.
SAID_SECONDS = 5.0


class Command(BaseCommand):
    help = "由数据库重建索引并替换；替换之前旧索引照常应答"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=600.0, help="网站正在运行时，最多等它重建的秒数")
        parser.add_argument("--rollback", action="store_true", help="退回上一次重建之前的索引（仅 Elasticsearch）")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["rollback"]:
                self._roll_back()
            else:
                self._rebuild(options["timeout"])
        except EngineUnavailable as error:
            raise CommandError(str(error), returncode=2) from error
        except EngineDown as error:
            raise CommandError(f"索引不能重建：{error}", returncode=1) from error
        finally:
            close_engine()

    def _rebuild(self, timeout: float) -> None:
        started = time.monotonic()
        try:
            count = changes.rebuild(on_progress=self._progress())
        except EngineBusy:
            self.stdout.write("网站正在运行，由网站重建索引，请稍候 …")
            count = self._wait_for_the_site(started + timeout)
        self.stdout.write(f"索引已重建：{count} 条，{time.monotonic() - started:.1f} 秒")

    def _progress(self) -> changes.OnProgress:
        total, done, said = sources.count(), 0, time.monotonic()

        def progress(count: int) -> None:
            nonlocal done, said
            done += count
            if time.monotonic() - said >= SAID_SECONDS:
                said = time.monotonic()
                self.stdout.write(f"{done} / {total} 条")

        return progress

    def _wait_for_the_site(self, deadline: float) -> int:
        changes.ask_for_rebuild()
        while SearchChange.objects.filter(kind=changes.REBUILD).exists():
            if time.monotonic() >= deadline:
                raise CommandError("网站没有在限定时间内重建索引", returncode=1)
            time.sleep(POLL_SECONDS)
        return get_engine().status().documents

    def _roll_back(self) -> None:
        try:
            count, drift = changes.roll_back()
        except NotImplementedError as error:
            raise CommandError(
                "这个检索引擎不保留旧索引，不能退回。请运行 ./run manage search_rebuild", returncode=2
            ) from error
        self.stdout.write(f"已退回旧索引：{count} 条；此后的 {len(drift)} 处改动正在补入，运行 search_drain 可等它写完")
