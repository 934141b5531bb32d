"""`manage.py indicator turnover --area 150600 --from 2026-01-01 --to 2026-12-31 --basis output [--rows] [--json]`."""

from __future__ import annotations

import datetime as dt
import json
import sys
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from marketplace import money
from marketplace.indicators import catalogue


def date(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text} 不是 2026-01-31 这样的日期") from error


class Command(BaseCommand):
    help = "打印一个指标的数，以及它所数的台账行"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", choices=sorted(catalogue.CATALOGUE))
        parser.add_argument("--area", default=catalogue.CITY)
        parser.add_argument("--from", dest="start", type=date, required=True)
        parser.add_argument("--to", dest="end", type=date, required=True)
        parser.add_argument("--basis", choices=list(catalogue.BASES), default="output")
        parser.add_argument("--rows", action="store_true")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["end"] < options["start"]:
            self.stderr.write("--to 早于 --from")
            sys.exit(2)
        if not (options["area"].isdigit() and len(options["area"]) <= 6):
            self.stderr.write(f"--area 应为行政区划代码，如 150600；给的是 {options['area']}")
            sys.exit(2)
        figure = catalogue.turnover(
            area=options["area"], start=options["start"], end=options["end"], basis=options["basis"]
        )
        body: dict[str, Any] = {
            "value": f"{figure.value:.2f}",
            "count": figure.count,
            "unit": figure.unit,
            "basis": figure.basis,
            "as_of": figure.as_of,
            "entries": figure.entries,
        }
        if options["rows"]:
            body["rows"] = [
                {
                    "sequence": row.sequence,
                    "entered_on": row.entered_on.isoformat(),
                    "kind": row.kind,
                    "number": row.registration.registration_number,
                    "amount_total": f"{row.amount_total:.2f}",
                    "amount_tech": f"{row.amount_tech:.2f}",
                }
                for row in figure.rows.select_related("registration")
            ]
        if options["json"]:
            self.stdout.write(json.dumps(body, ensure_ascii=False))
            return
        label = f"{catalogue.TURNOVER.name}（{catalogue.BASES[figure.basis]}）"
        self.stdout.write(f"{label} {options['area']} {figure.start}—{figure.end}：{money.auto(figure.value)}")
        self.stdout.write(f"合同 {figure.count} 项，入账 {figure.entries} 笔，截至 {figure.as_of or '尚无入账'}")
        for row in body.get("rows", []):
            self.stdout.write(
                "\t".join(str(row[k]) for k in ("sequence", "entered_on", "kind", "number", "amount_total"))
            )
