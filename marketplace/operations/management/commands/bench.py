"""`manage.py bench search|match|index`: what the search costs, in a scratch market, beside a reference."""

from __future__ import annotations

import json
import signal
import sys
from argparse import ArgumentParser
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand

from marketplace.operations.benches import indexing, matching, scratch, searching
from search import changes
from search.engines import close_engine, get_engine

BENCHES: dict[str, Any] = {"search": searching, "match": matching, "index": indexing}
GROWTH = (10_000, 100_000, 400_000)


class Command(BaseCommand):
    help = "性能测试：在临时的市场里测量检索、匹配、建索引的耗时，同一次运行里也测对照。0 完成；1 出错；2 不能进行。"
    # It works in a market of its own and asks nothing of this one.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=list(BENCHES))
        parser.add_argument("--scale", type=int, default=100_000, help="条目数")
        parser.add_argument("--engine", default="embedded", choices=scratch.ENGINES)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--count", type=int, default=0, help="查询数（search 缺省 600，match 缺省 60）")
        parser.add_argument("--keep", type=Path, metavar="FOLDER", help="把装好的市场留在这里，下次直接用")
        parser.add_argument(
            "--growth", action="store_true", help="match：也在 1 万、10 万、40 万条（不超过 --scale）上测"
        )
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--in-place", action="store_true", help="在当前 DATA_DIR 里测量（由本命令自己使用）")

    def handle(self, *args: Any, **options: Any) -> None:
        name, scale, seed = options["name"], options["scale"], options["seed"]
        count = options["count"] or {"match": 60}.get(name, 600)
        if not 20 <= scale <= 2_000_000 or not 1 <= count <= 100_000:
            self._end(2, "--scale 应在 20 到 2,000,000 之间，--count 应在 1 到 100,000 之间。")
        if options["in_place"]:
            self._in_place(name, scale, seed, count)
            return
        signal.signal(signal.SIGTERM, _interrupt)
        scales = [scale]
        if options["growth"] and name == "match":
            scales = [*(n for n in GROWTH if n < scale), scale]
        try:
            found = [self._measure(name, one, seed, count, options) for one in scales]
        except scratch.NotRun as error:
            self._end(2, str(error))
        except scratch.Failed as error:
            self._end(1, str(error))
        except KeyboardInterrupt:
            self._end(130, "已停止。")
        answer = found[-1]
        if len(found) > 1:
            answer["growth"] = [
                {key: one[key] for key in ("scale", "p50_ms", "p95_ms", "engine_p95_ms")} for one in found
            ]
        self._say(answer)
        if options["json"]:
            self.stdout.write(json.dumps(answer, ensure_ascii=False))

    def _measure(self, name: str, scale: int, seed: int, count: int, options: dict[str, Any]) -> dict[str, Any]:
        with scratch.market(scale=scale, seed=seed, engine=options["engine"], keep=options["keep"]) as market:
            return market.measure(name, scale=scale, seed=seed, count=count)

    def _in_place(self, name: str, scale: int, seed: int, count: int) -> None:
        """The child: measure here. Never in a market that no bench has made."""
        if not scratch.is_scratch(Path(settings.DATA_DIR), scale, seed):
            self._end(2, "DATA_DIR 不是为性能测试建立的市场。")
        engine: Any = get_engine()
        try:
            if name != "index" and engine.needs_rebuild():
                changes.rebuild()
            self.stdout.write(json.dumps(BENCHES[name].measure(scale=scale, seed=seed, count=count).as_json()))
        finally:
            if engine.name == "elasticsearch":
                # Its prefix is this run's own: nobody would find these again.
                engine.indexes.remove_all()
            close_engine()

    def _say(self, answer: dict[str, Any]) -> None:
        limits = BENCHES[answer["name"]].LIMITS
        for key, value in answer.items():
            if value is not None:
                mark = f"  (mark {limits[key]:g})" if key in limits else ""
                self.stdout.write(f"{key}: {json.dumps(value, ensure_ascii=False)}{mark}")

    def _end(self, code: int, why: str) -> NoReturn:
        self.stderr.write(why)
        sys.exit(code)


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends the bench as Ctrl-C does: children stopped, folder removed."""
    raise KeyboardInterrupt
