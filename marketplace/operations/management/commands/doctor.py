"""Say what is wrong with this installation and how to put it right."""

from __future__ import annotations

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from marketplace.operations import diagnosis


class Command(BaseCommand):
    help = "检查这个市场：数据库、防护、索引、文件夹、设置、语言目录；说明问题和解决办法，不改动任何内容。"
    # It is asked just when something is wrong.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="最后一行输出 JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = diagnosis.findings()
        except DatabaseError as error:
            self.stderr.write(f"连不上数据库，无法检查：{error}。请检查 DATABASE_URL 与数据库服务。")
            sys.exit(2)
        for finding in found:
            self.stdout.write(f"✗ {finding.what}\n  解决办法：{finding.cure}")
        if not found:
            self.stdout.write("没有发现问题。")
        if options["json"]:
            self.stdout.write(json.dumps({"findings": [diagnosis.as_dict(f) for f in found]}, ensure_ascii=False))
        if found:
            sys.exit(1)
