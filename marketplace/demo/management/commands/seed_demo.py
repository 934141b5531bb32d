"""`manage.py seed_demo [--seed 1] [--day 2026-11-24]`: the demo into an empty market."""

from __future__ import annotations

import datetime as dt
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from marketplace.accounts.models import Organization, User
from marketplace.demo import loader
from marketplace.demo.models import DemoLoad


class Command(BaseCommand):
    help = "把演示数据装入一个空库（同一个种子和日期，结果相同）"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--day", type=dt.date.fromisoformat, default=None)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEMO:
            self.stderr.write("只有 DEMO=1 时才能装演示数据。")
            sys.exit(2)
        if DemoLoad.objects.exists():
            self.stdout.write("演示数据已经装过，没有改动。")
            return
        if User.objects.exists() or Organization.objects.exists():
            self.stderr.write("库里已有用户或单位，演示数据只装入空库；请换一个 DATA_DIR。")
            sys.exit(1)
        # One transaction: a kill in the middle leaves an empty market, not half a demo.
        with transaction.atomic():
            loader.load(
                seed=options["seed"],
                day=options["day"] or timezone.localdate(),
                say=lambda text: self.stdout.write(text),
            )
