"""The README's table of settings, made from the one place that reads the environment."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


def table() -> str:
    """The table in Markdown, one row a variable."""
    rows = ["| 变量 | 不设时 | 用途 | 生产必填 |", "| --- | --- | --- | --- |"]
    rows += [
        f"| `{v.name}` | {v.default} | {v.meaning} | {'是' if v.needed_in_production else ''} |"
        for v in settings.VARIABLES
    ]
    return "\n".join(rows)


class Command(BaseCommand):
    help = "输出 README 中的设置表。"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(table())
