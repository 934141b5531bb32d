"""search_reconcile: compare index and database, number by number and both ways; with --repair put right what differs.

Exit code 0: they agree. 1: they differed, also where it has been put right since. 2: the engine cannot be asked.
"""

from __future__ import annotations

import json
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search import changes, due, reconciling
from search.engines import EngineDown, EngineUnavailable, close_engine, get_engine
from search.models import SearchChange

POLL_SECONDS = 0.2
SHOWN = 20


class Command(BaseCommand):
    help = "逐条核对索引与数据库；--repair 把不一致的补正（网站正在运行时由网站写入，本命令等它写完）"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--repair", action="store_true", help="补正不一致的条目")
        parser.add_argument("--timeout", type=float, default=60.0, help="等待补正写入索引的最多秒数")
        parser.add_argument("--json", action="store_true", help="最后一行打印一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            drift = due.compare(repair=options["repair"])
            repaired = self._repaired(drift, options["timeout"]) if options["repair"] and drift else 0
            name = get_engine().name
        except (EngineUnavailable, EngineDown) as error:
            raise CommandError(f"索引不能核对：{error}", returncode=2) from error
        finally:
            close_engine()
        self._say(drift, repaired, repair=options["repair"])
        if options["json"]:
            self.stdout.write(json.dumps(_told(name, drift, repaired), ensure_ascii=False))
        if drift:
            raise CommandError(f"索引与数据库有 {len(drift)} 处不一致", returncode=1)

    def _repaired(self, drift: changes.Drift, timeout: float) -> int:
        """Drain, or wait for the site to do it; how many no longer differ."""
        deadline = time.monotonic() + timeout
        numbers = {*drift.numbers, changes.REBUILD}
        while True:
            changes.drain(until=deadline)
            # What others change meanwhile also waits; only the repair's own rows are waited for.
            waiting = numbers.intersection(SearchChange.objects.waiting().values_list("key", flat=True))
            if not waiting or time.monotonic() >= deadline:
                break
            time.sleep(POLL_SECONDS)
        has_row = numbers.intersection(SearchChange.objects.values_list("key", flat=True))
        return len(set(drift.numbers) - has_row - reconciling.differing(drift.numbers))

    def _say(self, drift: changes.Drift, repaired: int, *, repair: bool) -> None:
        self.stdout.write(f"核对 {drift.compared} 条")
        if not drift:
            self.stdout.write("索引与数据库一致")
            return
        self.stdout.write(str(drift))
        if repair:
            how = "不一致的过多，整个索引重建；" if drift.rebuild else ""
            self.stdout.write(f"{how}补正 {repaired} 条")


def _told(engine: str, drift: changes.Drift, repaired: int) -> dict[str, Any]:
    return {
        "engine": engine,
        "compared": drift.compared,
        "missing": len(drift.missing),
        "extra": len(drift.extra),
        "stale": len(drift.stale),
        "drift": len(drift),
        "repaired": repaired,
        "rebuild": drift.rebuild,
        "examples": list(drift.numbers[:SHOWN]),
    }
