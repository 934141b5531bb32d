"""Do everything that a clock makes due; safe at any time and twice."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from marketplace.operations import due


class Command(BaseCommand):
    help = "办理到期事项：条目到期、期限、未发出的通知等。随时可以运行，重复运行无害。"

    def handle(self, *args: Any, **options: Any) -> None:
        outcome = due.run()
        for label, counts in outcome.done.items():
            self.stdout.write(f"{label}：" + ("，".join(f"{k} {n}" for k, n in counts.items()) or "无"))
        for label, error in outcome.failed.items():
            self.stderr.write(f"{label} 失败：{error}")
        if outcome.failed:
            sys.exit(1)
