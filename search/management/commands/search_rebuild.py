"""search_rebuild: fill a new index from the database and swap it in; with the site running, the site does it."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search import changes
from search.engines import EngineBusy, EngineDown, EngineUnavailable, close_engine, get_engine
from search.models import SearchChange

POLL_SECONDS = 0.2


class Command(BaseCommand):
    help = "由数据库重建索引并替换；替换之前旧索引照常应答"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=600.0, help="网站正在运行时，最多等它重建的秒数")

    def handle(self, *args: Any, **options: Any) -> None:
        started = time.monotonic()
        try:
            try:
                count = changes.rebuild()
            except EngineBusy:
                self.stdout.write("网站正在运行，由网站重建索引，请稍候 …")
                count = self._wait_for_the_site(started + options["timeout"])
        except EngineUnavailable as error:
            raise CommandError(str(error), returncode=2) from error
        except EngineDown as error:
            raise CommandError(f"索引不能重建：{error}", returncode=1) from error
        finally:
            close_engine()
        seconds = time.monotonic() - started
        self.stdout.write(f"索引已重建：{count} 条，{seconds:.1f} 秒")

    def _wait_for_the_site(self, deadline: float) -> int:
        changes.ask_for_rebuild()
        while SearchChange.objects.filter(kind=changes.REBUILD).exists():
            if time.monotonic() >= deadline:
                raise CommandError("网站没有在限定时间内重建索引", returncode=1)
            time.sleep(POLL_SECONDS)
        return get_engine().status().documents
