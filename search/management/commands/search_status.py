"""search_status: how the index is and what waits for it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search import overview
from search.engines import EngineUnavailable, close_engine

# What helps, by the state of the index.
CURES = {
    "down": "检索引擎连不上：检查 SEARCH_URL 和 Elasticsearch 是否在运行；恢复后等待的改动会自动写入",
    "missing": "索引还没有建立：启动网站会自动建立，或运行 search_rebuild",
    "outdated": "索引是旧版程序建立的：启动网站会自动重建，或运行 search_rebuild",
    "damaged": "索引已损坏：启动网站会自动重建，或运行 search_rebuild",
}
PARKED = "有改动多次写不进索引：改好内容后重新发布，或在后台“检索状态”中重试"


class Command(BaseCommand):
    help = "索引的状态：引擎、条数、待更新和搁置的改动、最近的核对和告警"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="最后一行打印一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = overview.as_dict(overview.look())
        except EngineUnavailable as error:
            raise CommandError(str(error), returncode=2) from error
        finally:
            close_engine()
        self._say(found)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        if found["state"] != "ok":
            raise CommandError(CURES.get(found["state"], "索引需要处理：运行 search_rebuild"), returncode=1)
        if found["parked_count"]:
            raise CommandError(PARKED, returncode=1)

    def _say(self, found: dict[str, Any]) -> None:
        self.stdout.write(f"引擎 {found['engine']}，状态 {found['state']} {found['detail']}".rstrip())
        self.stdout.write(f"条数 {found['documents']}，索引时间 {found['index_time'] or '无'}")
        waits = sum(found["waiting"].values())
        self.stdout.write(f"等待 {waits} 条（{found['leased']} 条正在写入），搁置 {found['parked_count']} 条")
        for row in found["parked"]:
            self.stdout.write(f"  {row['kind']} {row['key']}：{row['parked_reason']}")
        if last := found["last_reconcile"]:
            result = last["detail"] or "一致" if last["outcome"] == "done" else f"没有完成 {last['detail']}"
            self.stdout.write(f"最近核对 {last['at']}：{result}")
        if found["alarms"]:
            self.stdout.write(f"未处理的告警 {found['alarms']} 条，见后台“检索状态”")
