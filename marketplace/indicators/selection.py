"""What a visitor chose to look at: basis, year, period, type, field, region; read from and written to the query."""

from __future__ import annotations

import calendar
import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from marketplace.contracts.models import TurnoverEntry

from . import catalogue
from .names import Names

GROUPS = {
    "TD": lazy("技术开发"),
    "TT": lazy("技术转让"),
    "TL": lazy("技术许可"),
    "TC": lazy("技术咨询"),
    "TS": lazy("技术服务"),
}
PERIODS = {
    "": lazy("全年"),
    "q1": lazy("第一季度"),
    "q2": lazy("第二季度"),
    "q3": lazy("第三季度"),
    "q4": lazy("第四季度"),
    "h1": lazy("上半年"),
    "h2": lazy("下半年"),
}
_MONTHS = {"q1": (1, 3), "q2": (4, 6), "q3": (7, 9), "q4": (10, 12), "h1": (1, 6), "h2": (7, 12), "": (1, 12)}


@dataclass(frozen=True)
class Selection:
    """A checked choice. `start` and `end` are whole months (or to today in the running one), both inclusive."""

    basis: str = "output"
    year: int = 0
    period: str = ""
    type: str = ""
    field: str = ""
    region: str = ""
    today: dt.date = dt.date.min

    @classmethod
    def read(cls, query: Any) -> Selection:
        """From a QueryDict; ValidationError in Chinese names the part that is no choice."""
        today = timezone.localdate()
        basis = query.get("basis") or "output"
        if basis not in catalogue.BASES:
            raise ValidationError(_("口径“%(x)s”不存在，可选：输出、吸纳、本地登记。") % {"x": basis[:20]})
        raw = query.get("year") or str(today.year)
        if not (raw.isdecimal() and len(raw) == 4 and 2000 <= int(raw) <= today.year):
            raise ValidationError(_("年度“%(x)s”不对，请填 2000 到 %(y)d。") % {"x": raw[:20], "y": today.year})
        period = query.get("period") or ""
        month = period[1:] if period[:1] == "m" and len(period) <= 3 else ""
        if period not in PERIODS and not (month.isdecimal() and 1 <= int(month) <= 12):
            raise ValidationError(_("期间“%(x)s”不存在。") % {"x": period[:20]})
        group = query.get("type") or ""
        if group and group not in GROUPS:
            raise ValidationError(_("合同类别“%(x)s”不存在。") % {"x": group[:20]})
        field, region = query.get("field") or "", query.get("region") or query.get("area") or ""
        # The API and the command say `area`; the city itself is the page's default.
        region = "" if region == catalogue.CITY else region
        if field and not (field.isascii() and field.isdecimal() and len(field) == 2):
            raise ValidationError(_("技术领域代码“%(x)s”不对。") % {"x": field[:20]})
        if region and not (region.isascii() and region.isdecimal() and len(region) == 6):
            raise ValidationError(_("地区代码“%(x)s”不对，应为六位数字。") % {"x": region[:20]})
        return cls(basis, int(raw), period, group, field, region, today)

    @property
    def months(self) -> tuple[int, int]:
        return (int(self.period[1:]),) * 2 if self.period.startswith("m") else _MONTHS[self.period]  # type: ignore[return-value]

    @property
    def start(self) -> dt.date:
        return dt.date(self.year, self.months[0], 1)

    @property
    def end(self) -> dt.date:
        month = self.months[1]
        end = dt.date(self.year, month, calendar.monthrange(self.year, month)[1])
        return max(self.start, min(end, self.today)) if self.year == self.today.year else end

    @property
    def area(self) -> str:
        return self.region or catalogue.CITY

    @property
    def narrow(self) -> dict[str, str]:
        return {"contract_group": self.type, "technology_field": self.field}

    @property
    def period_label(self) -> str:
        return f"{int(self.period[1:])} 月" if self.period.startswith("m") else PERIODS[self.period]

    @property
    def is_plain(self) -> bool:
        """The city's own total of a whole year: what targets are compared with."""
        return not (self.type or self.field or self.region or self.period)

    def figure(self, **changes: Any) -> catalogue.Figure:
        one = replace(self, **changes)
        return catalogue.turnover(area=one.area, start=one.start, end=one.end, basis=one.basis, **one.narrow)

    def last_year(self) -> catalogue.Figure:
        start, end = catalogue.same_period_last_year(self.start, self.end)
        return catalogue.turnover(area=self.area, start=start, end=end, basis=self.basis, **self.narrow)

    def query(self, **changes: Any) -> str:
        """`?…` for this choice with changes; what is the default stays out of the address."""
        one = replace(self, **changes)
        parts = {
            "basis": one.basis if one.basis != "output" else "",
            "year": str(one.year) if one.year != self.today.year else "",
            "period": one.period,
            "type": one.type,
            "field": one.field,
            "region": one.region,
        }
        return "?" + urlencode({k: v for k, v in parts.items() if v})

    def choices(self, names: Names) -> list[dict[str, Any]]:
        """The chips of the filter row: each {key, label, options: [{label, href, current}]}."""
        span = TurnoverEntry.objects.aggregate(first=Min("entered_on"), last=Max("entered_on"))
        first = span["first"].year if span["first"] else self.today.year
        years = [(str(y), y) for y in range(self.today.year, first - 1, -1)]
        fields = [(_("全部"), ""), *((name, code) for code, name in names.fields.items())]
        regions = [(_("全市"), ""), *((name, code) for code, name in names.city.items())]
        groups = [(_("全部"), ""), *((name, code) for code, name in GROUPS.items())]
        periods = [(label, key) for key, label in PERIODS.items()] + [
            (_("%(m)d 月") % {"m": m}, f"m{m:02d}") for m in range(1, 13)
        ]
        rows = [
            (_("年度"), "year", years),
            (_("期间"), "period", periods),
            (_("类别"), "type", groups),
            (_("领域"), "field", fields),
            (_("地区"), "region", regions),
        ]
        out = []
        for key, name, options in rows:
            now = getattr(self, name)
            label = next((text for text, value in options if value == now), None)
            if label is None:
                label = names.of_regions([now]).get(now, now) if name == "region" else str(now)
            out.append(
                {
                    "key": key,
                    "label": label,
                    "options": [
                        {"label": text, "href": self.query(**{name: value}), "current": value == now}
                        for text, value in options
                    ],
                }
            )
        return out
