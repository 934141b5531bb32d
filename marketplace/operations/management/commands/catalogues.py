"""Are the compiled language catalogues what their sources say; compile those that are not."""

from __future__ import annotations

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from marketplace.operations import catalogues


class Command(BaseCommand):
    help = "检查语言目录（.mo）是否与源文件（.po）一致；--compile 重新编译不一致的。"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--compile", action="store_true", help="编译不一致的目录")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["compile"]:
            for path in catalogues.compile_all(settings.BASE_DIR):
                self.stdout.write(f"已编译 {path.relative_to(settings.BASE_DIR)}")
            return
        found = catalogues.stale(settings.BASE_DIR)
        for path in found:
            self.stderr.write(
                f"{path.relative_to(settings.BASE_DIR)} 没有编译，请运行 ./run manage catalogues --compile"
            )
        if found:
            sys.exit(1)
