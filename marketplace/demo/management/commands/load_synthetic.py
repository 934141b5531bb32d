"""`manage.py load_synthetic --listings N [--seed 1]`: bulk rows for benchmarks, never shown as real."""

from __future__ import annotations

import datetime as dt
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from cms.models import ListingRecord
from marketplace.demo import synthetic
from search import changes
from search.engines import EngineBusy, EngineDown


class Command(BaseCommand):
    help = "装入大批合成条目，仅供性能测试（同一个种子和日期，结果相同）；题名以〔合成〕开头，单位名为“合成单位 …”"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--listings", type=int, required=True, help="条目数")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--day", type=dt.date.fromisoformat, default=None, help="日期都不晚于这一天；不给为今天")
        parser.add_argument("--force", action="store_true", help="也装入已有真实条目的市场")
        parser.add_argument("--no-index", action="store_true", help="不重建索引")

    def handle(self, *args: Any, **options: Any) -> None:
        count, seed = options["listings"], options["seed"]
        if not 1 <= count <= 2_000_000 or not 0 <= seed < 1_000_000:
            self._refuse("--listings 应在 1 到 2,000,000 之间，--seed 应在 0 到 999,999 之间。")
        if not settings.DEMO and not options["force"] and self._has_real_rows():
            self._refuse("库里已有真实条目。合成条目只装入空库或演示库；确要混装请加 --force。")
        if ListingRecord.objects.filter(external_id=f"{synthetic.SOURCE}-{seed}-0").exists():
            self._refuse(f"种子 {seed} 的合成条目已经装过，请换一个 --seed。")
        begun = time.monotonic()
        synthetic.load(count, seed=seed, day=options["day"] or timezone.localdate(), say=self.stdout.write)
        taken = time.monotonic() - begun
        self.stdout.write(f"{count} 条，{taken:.1f} 秒，每秒 {count / taken:.0f} 条")
        if not options["no_index"]:
            self._index()

    @staticmethod
    def _has_real_rows() -> bool:
        return ListingRecord.objects.exclude(external_id__startswith=f"{synthetic.SOURCE}-").exists()

    def _index(self) -> None:
        begun = time.monotonic()
        try:
            held = changes.rebuild()
        except EngineBusy:
            changes.ask_for_rebuild()
            self.stdout.write("网站正在运行，将由它重建索引。")
        except EngineDown as error:
            changes.ask_for_rebuild()
            self.stderr.write(f"检索引擎现在不可用，恢复后将自动重建索引：{error}")
        else:
            self.stdout.write(f"索引 {held} 条，{time.monotonic() - begun:.1f} 秒")

    def _refuse(self, why: str) -> None:
        self.stderr.write(why)
        sys.exit(2)
