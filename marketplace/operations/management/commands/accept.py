"""Put a scratch market through one kind of trouble and judge what is left: the acceptance gates of tests/gates."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "验收：在临时的市场里制造一种故障，检查有没有丢失、重复或出错。0 全部通过；1 有未通过的；2 不能进行。"
    # It works in a market of its own and asks nothing of this one.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", default="", help="一项的名称；--list 列出全部")
        parser.add_argument("--all", action="store_true", help="全部各项")
        parser.add_argument("--list", action="store_true", help="列出各项和可以做的破坏")
        parser.add_argument("--seed", type=int, default=1, help="随机数种子")
        parser.add_argument("--scale", type=float, default=1.0, help="数量的倍数，1 是设计规定的数量")
        parser.add_argument("--db", choices=["sqlite", "postgres"], default="sqlite")
        parser.add_argument("--engine", choices=["embedded", "elasticsearch"])
        parser.add_argument("--only", default="", metavar="PART", help="只做其中一部分")
        parser.add_argument("--keep", action="store_true", help="留下临时文件夹")
        chosen = parser.add_mutually_exclusive_group()
        chosen.add_argument("--sabotage", default="", help="先破坏一处，应当因此不通过（退出码 1）")
        chosen.add_argument("--all-sabotage", action="store_true", help="逐一破坏；0 表示每一种都被发现")

    def handle(self, *args: Any, **options: Any) -> None:
        # The gates lie with the tests and are not shipped: nothing of the product may depend on them.
        folder = settings.BASE_DIR / "tests" / "gates"
        if not folder.is_dir():
            self.stderr.write("没有 tests/gates 文件夹，不能验收。请在完整的源代码里运行。")
            sys.exit(2)
        sys.path.insert(0, str(settings.BASE_DIR))
        running = import_module("tests.gates.running")
        names = ("name", "all", "list", "seed", "scale", "db", "engine", "sabotage", "all_sabotage", "only", "keep")
        asked = running.Asked(**{name: options[name] for name in names})
        sys.exit(running.main(asked, out=sys.stdout))
