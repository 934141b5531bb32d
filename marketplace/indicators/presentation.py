"""Charts, tables and tiles of the turnover page, made of summed figures. Rounding happens here, last."""

from __future__ import annotations

import datetime as dt
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _

from marketplace import money
from marketplace.templatetags.charts import Month, Point, Series, column_chart, line_chart

from . import catalogue, targets
from .models import TargetSet
from .names import Names
from .selection import GROUPS, Selection

YI = Decimal(100_000_000)
CENT = Decimal("0.01")
# Rough places of the banners and districts on the ground, row by row; 方位示意，不是地图.
TILES = ["150625", "150621", "150622", "150624", "150603", "150602", "150623", "150626", "150627"]
BOUNDS = [Decimal("0.5"), Decimal(1), Decimal(2), Decimal(3)]


def in_yi(value: Decimal) -> Decimal:
    return (value / YI).quantize(CENT, ROUND_HALF_UP)


def _by_month(figure: catalogue.Figure) -> dict[int, Decimal]:
    totals: dict[int, Decimal] = {}
    for row in figure.postings:
        month = row["entered_on"].month
        totals[month] = totals.get(month, catalogue.ZERO) + row["amount_total"]
    return totals


def _running(totals: dict[int, Decimal], upto: int) -> list[Decimal]:
    out, total = [], catalogue.ZERO
    for month in range(1, upto + 1):
        total += totals.get(month, catalogue.ZERO)
        out.append(total)
    return out


def months_are_public(selection: Selection, *figures: catalogue.Figure) -> bool:
    """Whether outsiders may see a narrowed figure month by month: not where one month alone would name a firm."""
    if not (selection.type or selection.field or selection.region):
        return True
    return not any(g.suppressed for f in figures for g in catalogue.groups(f, "month", outsider=True))


def charts(
    selection: Selection, figure: catalogue.Figure, target: TargetSet | None, *, outsider: bool
) -> dict[str, Any] | None:
    """The cumulative line and the monthly columns of the chosen year, with the year before beside them; None where an
    outsider may not see single months of this selection."""
    year, today = selection.year, selection.today
    start, end = catalogue.year_period(year, today)
    whole = figure if (figure.start, figure.end) == (start, end) else selection.figure(period="")
    earlier = catalogue.turnover(
        area=selection.area,
        start=dt.date(year - 1, 1, 1),
        end=dt.date(year - 1, 12, 31),
        basis=selection.basis,
        **selection.narrow,
    )
    if outsider and not months_are_public(selection, whole, earlier):
        return None
    now, before = _by_month(whole), _by_month(earlier)
    is_part = year == today.year and end < dt.date(year, 12, 31)
    table = _month_table(year, now, before, end.month)
    label = {"y": year}
    return {
        "line": line_chart(
            _series(selection, now, before, end, target, is_part=is_part),
            label=_("%(y)d 年技术合同成交额累计，亿元") % label,
            table=table,
        ),
        "columns": column_chart(
            _columns(now, before, end.month if is_part else 0),
            label=_("%(y)d 年各月技术合同成交额，亿元") % label,
            key=_column_key(year, is_part=is_part, has_before=bool(before)),
            table=table,
        ),
    }


def _series(
    selection: Selection,
    now: dict[int, Decimal],
    before: dict[int, Decimal],
    end: dt.date,
    target: TargetSet | None,
    *,
    is_part: bool,
) -> list[Series]:
    """This year's running total, last year's, and the target's path where there is one."""
    year, upto = selection.year, end.month
    running, previous = _running(now, upto), _running(before, 12)
    points: list[Point | None] = [Point(0, 0), *(Point(m, in_yi(v)) for m, v in enumerate(running[: upto - 1], 1))]
    at = upto - 1 + selection.today.day / 31 if is_part else upto
    points.append(Point(at, in_yi(running[-1]), mark=True))
    stamp = f"{end:%m-%d} {in_yi(running[-1])}"
    series = [Series("now", _("%(year)d 年累计") % {"year": year}, points, end=stamp)]
    if before:
        last: list[Point | None] = [Point(0, 0), *(Point(m, in_yi(v)) for m, v in enumerate(previous, 1))]
        ends = f"{year - 1} {in_yi(previous[-1])}"
        series.append(Series("prev", _("%(year)d 年") % {"year": year - 1}, last, end=ends))
    if target is not None and selection.is_plain:
        goal = targets.linear(target, year)
        shares = [Decimal(0), Decimal("0.15"), Decimal("0.35"), Decimal("0.60"), Decimal(1)]
        path: list[Point | None] = [Point(i * 3, in_yi(goal * s), mark=i > 0) for i, s in enumerate(shares)]
        ends = _("目标 %(v)s") % {"v": in_yi(goal)}
        series.append(Series("goal", _("目标路径（季末 15%、35%、60%、100%）"), path, end=ends))
    return series


def _columns(now: dict[int, Decimal], before: dict[int, Decimal], part: int) -> list[Month]:
    """Twelve months; `part` is the one not yet over, or 0."""
    highest = max(now.values(), default=None)
    return [
        Month(
            str(m),
            in_yi(now[m]) if m in now else None,
            in_yi(before[m]) if m in before else None,
            part=m == part,
            show=m in now and now[m] == highest,
        )
        for m in range(1, 13)
    ]


def _column_key(year: int, *, is_part: bool, has_before: bool) -> list[dict[str, str]]:
    key = [{"kind": "col", "label": str(year)}]
    if is_part:
        key.append({"kind": "part", "label": _("未满月")})
    if has_before:
        key.append({"kind": "outline", "label": str(year - 1)})
    return key


def _month_table(year: int, now: dict[int, Decimal], before: dict[int, Decimal], upto: int) -> dict[str, Any]:
    rows = []
    for month in range(1, 13):
        value = now.get(month)
        rows.append(
            [
                _("%(m)d 月") % {"m": month},
                money.wan(value) if value is not None else (_("无入账") if month <= upto else "—"),
                money.wan(before[month]) if month in before else _("无入账"),
            ]
        )
    return {
        "columns": [
            {"label": _("月份")},
            {"label": str(year), "unit": "万元", "num": True},
            {"label": str(year - 1), "unit": "万元", "num": True},
        ],
        "rows": rows,
        "foot": [
            _("合计"),
            money.wan(sum(now.values(), catalogue.ZERO)),
            money.wan(sum(before.values(), catalogue.ZERO)),
        ],
    }


def type_rows(
    selection: Selection, figure: catalogue.Figure, last: catalogue.Figure, by: str, names_of: Names, *, outsider: bool
) -> list[dict[str, Any]]:
    """The breakdown by contract type or technology field, with shares and growth on the same period last year."""
    names = GROUPS if by == "type" else names_of.fields
    now = catalogue.groups(figure, by, outsider=outsider)
    before = {g.key: g for g in catalogue.groups(last, by, outsider=outsider)}
    largest = max((g.value for g in now if g.value is not None), default=Decimal(0))
    out = []
    for group in sorted(now, key=lambda g: (g.suppressed, -(g.value or 0))):
        was = before.get(group.key)
        comparable = group.value is not None and was is not None and was.value
        out.append(
            {
                "name": names.get(group.key, group.key),
                "group": group,
                "href": selection.query(**{by: group.key}),
                "share": group.value / figure.value if group.value is not None and figure.value else None,
                "bar": group.value / largest * 100 if group.value and largest else 0,
                "growth": catalogue.growth(group.value, was.value) if comparable else None,  # type: ignore[arg-type, union-attr]
            }
        )
    return out


def tiles(selection: Selection, figure: catalogue.Figure, names_of: Names, *, outsider: bool) -> dict[str, Any] | None:
    """The nine banners and districts by seller's (absorbed: buyer's) region; None for a narrower area."""
    if selection.region:
        return None
    found = {g.key: g for g in catalogue.groups(figure, "region", outsider=outsider)}
    names = names_of.city
    out = []
    for code in TILES:
        group = found.get(code)
        value = group.value if group else Decimal(0)
        amount = in_yi(value or Decimal(0))
        out.append(
            {
                "name": names.get(code, code),
                "value": f"{amount:.2f}",
                "count": group.count if group and group.count is not None else 0,
                "href": selection.query(region=code),
                "step": 1 + sum(1 for b in BOUNDS if amount >= b),
                "suppressed": bool(group and group.suppressed),
                "why": _("防止反推"),
            }
        )
    hidden = [g for g in found.values() if g.suppressed]
    note = ""
    if hidden:
        note = _(
            "对外不公布少于 3 项合同、少于 3 个卖方，或只有一两项合同金额未公开的格；"
            "必要时另一格一并不公布，以免相减得出。"
        )
    other = [g for key, g in found.items() if key not in TILES and g.value is not None]
    return {"tiles": out, "bounds": ["0.5 以下", "0.5–1", "1–2", "2–3", "3 以上"], "note": note, "other": other}


def plan_title(target: TargetSet) -> str:
    """The way of a plan in 亿元, without needless zeros: 规划路径：3.21 → 10 亿元."""
    base, end = (f"{(value / YI).normalize():f}" for value in (target.base_value, target.end_value))
    return _("规划路径：%(base)s → %(end)s 亿元") % {"base": base, "end": end}


def plan_note(target: TargetSet) -> str:
    """Where the points of the path come from."""
    words = {"p": target.plan, "b": target.base_year, "s": target.source or _("未说明")}
    if target.path:
        return _("%(p)s的各年路径由主管部门录入；没有录入的年份按直线分摊，是本站的画法。来源：%(s)s。") % words
    return (
        _("%(p)s只写明 %(b)s 年基数和末年目标；中间各年按直线分摊，是本站的画法，可由主管部门调整。来源：%(s)s。")
        % words
    )


def plan_rows(target: TargetSet) -> list[dict[str, Any]]:
    """The plan year by year: path, reached, rate; years the ledger began later are named by their source."""
    return [
        {
            "year": p.year,
            "path": p.path,
            "reached": p.reached,
            "rate": p.rate,
            "source": _("台账") if p.source == "ledger" else _("规划公布数") if p.source else _("无数据"),
            "is_met": p.rate is not None and p.rate >= 1,
            "bar": min(p.reached / target.end_value * 100, Decimal(130)) if p.reached is not None else 0,
        }
        for p in targets.year_points(target)
    ]
