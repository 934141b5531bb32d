"""search_status: how the index is and what waits for it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count
from django.utils import timezone

from search.engines import EngineUnavailable, close_engine, get_engine
from search.models import SearchChange


class Command(BaseCommand):
    help = "索引的状态：引擎、条数、待更新和搁置的改动"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="最后一行打印一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = get_engine().status()
        except EngineUnavailable as error:
            raise CommandError(str(error), returncode=2) from error
        finally:
            close_engine()
        oldest = SearchChange.objects.waiting().first()
        parked = list(SearchChange.objects.parked().values("kind", "key", "tries", "parked_reason")[:100])
        found = {
            "engine": status.engine,
            "state": status.state,
            "detail": status.detail,
            "documents": status.documents,
            "tombstones": status.tombstones,
            "index_time": status.index_time.isoformat() if status.index_time else None,
            "analyzer_version": status.analyzer_version,
            "schema_version": status.schema_version,
            "waiting": dict(SearchChange.objects.waiting().order_by().values_list("kind").annotate(Count("pk"))),
            "oldest_waiting_seconds": round((timezone.now() - oldest.created_at).total_seconds(), 1)
            if oldest
            else None,
            "parked": parked,
        }
        self._say(found)
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        if status.state != "ok" or parked:
            raise CommandError("索引需要处理：运行 search_drain；仍不好时运行 search_rebuild", returncode=1)

    def _say(self, found: dict[str, Any]) -> None:
        self.stdout.write(f"引擎 {found['engine']}，状态 {found['state']} {found['detail']}".rstrip())
        self.stdout.write(f"条数 {found['documents']}，索引时间 {found['index_time'] or '无'}")
        self.stdout.write(f"等待 {sum(found['waiting'].values())} 条，搁置 {len(found['parked'])} 条")
        for row in found["parked"]:
            self.stdout.write(f"  {row['kind']} {row['key']}：{row['parked_reason']}")
