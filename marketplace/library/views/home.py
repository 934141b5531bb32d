"""/: the search box and the year's figure, four ways in, what is new, what waits, what was registered."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from marketplace import money

from .. import selectors

TRIES = ("粉煤灰", "氢电解槽隔膜", "矿井水", "光伏治沙", "羊绒")


def home(request: HttpRequest) -> HttpResponse:
    """The home page; an empty market explains itself instead of showing zeros."""
    counts = selectors.counts()
    head = selectors.headline()
    context = {
        "nav_current": "home",
        "counts": counts,
        "scopes": scopes(counts),
        "tries": [{"label": _(t), "href": f"/search/?q={_(t)}"} for t in TRIES] if not counts.is_empty else [],
        "intro": _intro(counts),
        "headline": _headline(head) if head.figure.entries else None,
        "year": head.year,
        "achievements": selectors.newest_achievements(5),
        "waiting": selectors.waiting_demands(6),
        "contracts": selectors.latest_contracts(9, request.user),
        "news": selectors.news(5),
        "themes": selectors.themes(),
    }
    return render(request, "library/home.html", context)


def scopes(counts: selectors.Counts, current: str = "achievement") -> list[dict[str, Any]]:
    """The box's choices with what each holds."""
    labels = {"achievement": _("成果"), "demand": _("需求"), "expert": _("专家"), "project": _("项目")}
    return [
        {"value": kind, "label": label, "count": getattr(counts, kind), "current": kind == current}
        for kind, label in labels.items()
    ]


def _intro(counts: selectors.Counts) -> str:
    if counts.is_empty:
        return _("单位发布成果或需求，系统比对，双方对接，合同登记后计入成交额。每一步都有记录。")
    return _("%(a)s 项科技成果、%(d)s 条技术需求、%(o)s 家已核实单位，全部注明出处与更新日期。") % {
        "a": f"{counts.achievement:,}",
        "d": f"{counts.demand:,}",
        "o": f"{counts.organizations:,}",
    }


def _headline(head: selectors.Headline) -> dict[str, Any]:
    """The figure and its bar in words. The scale of the bar is a little longer than what must fit on it."""
    figure = head.figure
    found: dict[str, Any] = {
        "label": _("%(year)d 年技术合同成交额") % {"year": head.year},
        "value": money.yi(figure.value),
        "exact": f"{money.yuan(figure.value)} 元",
        "note": _growth(head),
        "source": _("输出口径，%(n)s 项合同，截至 %(day)s。来源：登记台账。")
        % {"n": f"{figure.count:,}", "day": figure.end.isoformat()},
        "bar": None,
    }
    if head.goal:
        found["bar"] = _bar(head)
    return found


def _growth(head: selectors.Headline) -> str:
    words = []
    if head.growth is not None:
        rate = abs(head.growth * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
        words.append((_("同比增长 %(r)s%%") if head.growth >= 0 else _("同比下降 %(r)s%%")) % {"r": rate})
    if head.path is not None:
        gap = head.figure.value - head.path
        words.append(
            (_("比本日路径多 %(v)s 亿元") if gap >= 0 else _("比本日路径少 %(v)s 亿元")) % {"v": money.yi(abs(gap))}
        )
    return "，".join(words)


def _bar(head: selectors.Headline) -> dict[str, Any]:
    """Done, path and goal as shares of the bar, with the sentence above and below it."""
    value, goal = head.figure.value, head.goal or Decimal(1)
    scale = max(value, goal) * Decimal("1.07")
    rate = (value / goal * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    if head.is_over:
        text = _("%(end)d 年规划目标 %(goal)s 亿元，今年已为其 %(rate)s%%") % {
            "end": head.target.end_year,
            "goal": money.yi(goal),
            "rate": rate,
        }
        below = _("规划到 %(end)d 年为止，新目标尚未设定") % {"end": head.target.end_year}
    else:
        text = _("全年目标 %(goal)s 亿元，已完成 %(rate)s%%") % {"goal": money.yi(goal), "rate": rate}
        below = _("按路径本日应到 %(path)s") % {"path": money.yi(head.path or Decimal(0))}
    return {
        "done": value / scale * 100,
        "path": head.path / scale * 100 if head.path is not None else None,
        "goal": goal / scale * 100,
        "text": text,
        "below": below,
    }
