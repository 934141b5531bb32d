"""`import_listings FILE --kind achievement|demand [--org USCC] [--map column=field …] [--publish] [--dry-run]`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from cms.identifiers import check_credit_code
from marketplace.accounts.models import Organization
from marketplace.accounts.models.organizations import fold
from marketplace.intake.models import ImportBatch
from marketplace.intake.rows import FIELDS
from marketplace.intake.services import import_listings


class CannotRun(Exception):
    """Wrong arguments or a missing file: exit code 2, nothing was read."""


class Command(BaseCommand):
    help = "批量导入成果或需求（JSONL，每行一个对象）。退出码：0 全部完成，1 有的行没有导入，2 没有运行"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--kind", required=True, choices=["achievement", "demand"])
        parser.add_argument("--org", default="", help="全部行的单位：统一社会信用代码、单位编号或单位名称")
        parser.add_argument("--map", nargs="+", default=[], metavar="列=字段", help="如 text=problem")
        parser.add_argument("--publish", action="store_true", help="不经审核直接公开，并写进记录")
        parser.add_argument("--dry-run", action="store_true", help="只检查，不保存")
        parser.add_argument("--json", action="store_true", help="最后一行输出一个 JSON 对象")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            mapping = self.mapping(options["map"])
            organization = self.organization(options["org"], dry_run=options["dry_run"]) if options["org"] else None
            if not options["file"].is_file():
                raise CannotRun(f"没有这个文件：{options['file']}")
        except CannotRun as error:
            self.stderr.write(str(error))
            sys.exit(2)
        batch = import_listings(
            options["file"],
            kind=options["kind"],
            organization=organization,
            mapping=mapping,
            publish=options["publish"],
            dry_run=options["dry_run"],
        )
        self.report(batch)
        if options["json"]:
            counts = {name: getattr(batch, name) for name in ("rows", "created", "updated", "unchanged")}
            self.stdout.write(json.dumps({**counts, "errors": batch.errors, "dry_run": batch.is_dry_run}))
        if batch.errors:
            sys.exit(1)

    def mapping(self, pairs: list[str]) -> dict[str, str]:
        found = {}
        for pair in pairs:
            column, sign, name = pair.partition("=")
            if not sign or not column or name not in FIELDS:
                raise CannotRun(f"--map 写成 列=字段，字段是其中之一：{'、'.join(sorted(FIELDS))}。您写的是“{pair}”。")
            found[column] = name
        return found

    def organization(self, text: str, *, dry_run: bool) -> Organization:
        """By credit code (checked), by number, or by name; an unknown name is made, unverified; an unknown code is not:
        a code is only set once somebody has checked it."""
        if text.upper().startswith("DW-"):
            found = Organization.objects.filter(number=text.upper()).first()
            if found is None:
                raise CannotRun(f"没有编号为 {text} 的单位。")
            return found
        if text.isascii():
            try:
                code = check_credit_code(text).value
            except ValidationError as error:
                raise CannotRun(" ".join(error.messages)) from error
            found = Organization.objects.filter(credit_code=code).first()
            if found is None:
                raise CannotRun(
                    f"还没有单位登记过统一社会信用代码 {code}。请先在网站登记并核实，或者用 --org 写单位名称，"
                    "导入时建立为未核实单位，日后由单位认领。"
                )
            return found
        found = Organization.objects.named(text)
        if found is None and dry_run:
            return Organization(name=text)
        return found or self._make(text)

    def _make(self, name: str) -> Organization:
        from marketplace.accounts.models import OrganizationName

        made = Organization.objects.create(name=name, is_imported=True)
        OrganizationName.objects.create(organization=made, name=name, folded=fold(name))
        return made

    def report(self, batch: ImportBatch) -> None:
        """Counts, then the row errors as a table."""
        if batch.is_dry_run:
            self.stdout.write("试运行，没有保存。")
        self.stdout.write(
            f"共 {batch.rows} 行：新建 {batch.created}，更新 {batch.updated}，未变 {batch.unchanged}，"
            f"有误 {len({e['row'] for e in batch.errors})}。"
        )
        if batch.errors:
            self.stdout.write("行号\t字段\t内容\t原因")
            for error in batch.errors:
                self.stdout.write("\t".join(str(error[name]) for name in ("row", "field", "value", "message")))
