"""The public figures, the headline, and the rows it counts."""

from __future__ import annotations

import csv
import io
from typing import Any

from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from marketplace import money
from marketplace.contracts.models import Contract, Registration
from marketplace.contracts.models.registration import OPEN_STATES, REFUSED
from marketplace.errors import page as error_page
from marketplace.templatetags.market import percent

from . import catalogue, presentation, targets
from .names import Names
from .permissions import is_insider
from .selection import GROUPS, Selection

ROWS_PER_PAGE = 50
# A spreadsheet runs a cell that begins so.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def indicators(request: HttpRequest) -> HttpResponse:
    """All indicators: this year's turnover on its three bases, the plan's path, definitions."""
    year = timezone.localdate().year
    start, end = catalogue.year_period(year)
    bases = [_basis(key, start, end) for key in catalogue.BASES]
    plan = targets.current(catalogue.CITY) or targets.last_ended(catalogue.CITY)
    context = {
        "nav_current": "indicators",
        "year": year,
        "start": start,
        "end": end,
        "bases": bases,
        "plan": plan,
        "plan_is_over": plan is not None and plan.end_year < year,
        "plan_text": _plan_text(plan),
        "intro": _("%(s)s 至 %(e)s，按认定登记日期入账；每个数都能打开到登记编号。") % {"s": start, "e": end},
        "plan_rows": presentation.plan_rows(plan) if plan else [],
        "plan_title": presentation.plan_title(plan) if plan else "",
        "plan_note": presentation.plan_note(plan) if plan else "",
    }
    return render(request, "indicators/indicators.html", context)


def turnover(request: HttpRequest) -> HttpResponse:
    """技术合同成交额: the figure, how it came about, its breakdowns, its newest rows."""
    selection = _selection(request)
    if isinstance(selection, HttpResponse):
        return selection
    outsider, names = not is_insider(request.user), Names()
    figure = selection.figure()
    is_hidden = outsider and _is_too_small(selection, figure)
    last = selection.last_year()
    # Growth would give a small figure of the year before away.
    is_last_hidden = outsider and _is_too_small(selection, last)
    target = targets.current(catalogue.CITY, selection.today) if selection.year == selection.today.year else None
    plan = targets.last_ended(catalogue.CITY)
    context: dict[str, Any] = {
        "nav_current": "indicators",
        "selection": selection,
        "figure": figure,
        "is_hidden": is_hidden,
        "outsider": outsider,
        "basis_text": catalogue.BASIS_TEXTS[selection.basis],
        **_words(selection, figure, target),
        "tabs": _tabs(selection, figure, outsider),
        "chips": selection.choices(names),
        "facts": [] if is_hidden else _facts(selection, figure, None if is_last_hidden else last, target),
        "plan": plan,
        "plan_is_over": target is None and plan is not None and plan.end_year < selection.today.year,
        "plan_text": _plan_text(plan),
        "query": selection.query(),
        "not_counted": _not_counted(),
    }
    if not is_hidden:
        context.update(
            charts=presentation.charts(selection, figure, target, outsider=outsider),
            types=presentation.type_rows(selection, figure, last, "type", names, outsider=outsider),
            fields=presentation.type_rows(selection, figure, last, "field", names, outsider=outsider),
            tiles=presentation.tiles(selection, figure, names, outsider=outsider),
            plan_rows=presentation.plan_rows(plan) if plan and selection.is_plain else [],
            plan_title=presentation.plan_title(plan) if plan else "",
            plan_note=presentation.plan_note(plan) if plan else "",
            rows=_row_context(request, figure.rows.order_by("-entered_on", "-sequence")[:10], outsider, names),
        )
    return render(request, "indicators/turnover.html", context)


def rows(request: HttpRequest) -> HttpResponse:
    """打开这个数: every ledger entry that the figure counts, and their sum."""
    selection = _selection(request)
    if isinstance(selection, HttpResponse):
        return selection
    outsider, names = not is_insider(request.user), Names()
    figure = selection.figure()
    if outsider and _is_too_small(selection, figure):
        raise Http404
    page = Paginator(figure.rows.order_by("-entered_on", "-sequence"), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "nav_current": "indicators",
        "selection": selection,
        "figure": figure,
        "page_obj": page,
        "rows": _row_context(request, page.object_list, outsider, names),
        "query": selection.query().lstrip("?"),
        "chips": selection.choices(names),
        "basis_text": catalogue.BASIS_TEXTS[selection.basis],
        **_words(selection, figure),
    }
    return render(request, "indicators/rows.html", context)


CSV_HEAD = (
    "序号",
    "入账日",
    "登记编号",
    "事项",
    "合同类别",
    "技术领域代码",
    "卖方地区",
    "买方地区",
    "成交额（元）",
    "其中技术交易额（元）",
)


def rows_csv(request: HttpRequest) -> HttpResponse:
    """The same rows as a CSV that Excel opens (UTF-8 with BOM); amounts as exact 元, withheld ones as words."""
    selection = _selection(request)
    if isinstance(selection, HttpResponse):
        return selection
    outsider, names = not is_insider(request.user), Names()
    figure = selection.figure()
    if outsider and _is_too_small(selection, figure):
        raise Http404
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(CSV_HEAD)
    for row in _row_context(request, figure.rows.order_by("sequence"), outsider, names):
        writer.writerow([inert(cell) for cell in _cells(row)])
    period, entries = f"{selection.start}—{selection.end}", f"{figure.entries} 笔"
    writer.writerow(["合计", period, "", entries, "", "", "", "", f"{figure.value:.2f}", f"{figure.tech:.2f}"])
    response = HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8")
    name = f"turnover-{selection.area}-{selection.start:%Y%m%d}-{selection.end:%Y%m%d}-{selection.basis}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cells(row: dict[str, Any]) -> list[Any]:
    """One entry under CSV_HEAD."""
    entry = row["entry"]
    amounts = (row["amount_total"], row["amount_tech"])
    return [
        entry.sequence,
        entry.entered_on.isoformat(),
        row["number"],
        entry.get_kind_display(),
        row["type"],
        entry.technology_field,
        entry.seller_region,
        entry.buyer_region,
        *("未公开" if amount is None else f"{amount:.2f}" for amount in amounts),
    ]


def inert(cell: Any) -> Any:
    """A text that a spreadsheet will not run; numbers (also negative ones) stay numbers."""
    if isinstance(cell, str) and cell.startswith(FORMULA_STARTS):
        try:
            float(cell)
        except ValueError:
            return "'" + cell
    return cell


def _basis(key: str, start: Any, end: Any) -> dict[str, Any]:
    """One of the three bases as the overview prints it."""
    figure = catalogue.turnover(start=start, end=end, basis=key)
    return {
        "name": catalogue.BASES[key],
        "text": catalogue.BASIS_TEXTS[key],
        "figure": figure,
        "exact": _exact(figure.value),
        "period": _("%(s)s 至 %(e)s") % {"s": start, "e": end},
        "count": _("%(n)s 项合同") % {"n": f"{figure.count:,}"},
        "href": reverse("turnover") + (f"?basis={key}" if key != "output" else ""),
    }


def _exact(value: Any) -> str:
    return f"{money.yuan(value)} 元"


def _words(selection: Selection, figure: catalogue.Figure, target: Any = None) -> dict[str, Any]:
    """Sentences of the page that hold figures: made here, as a template cannot translate a % inside an argument."""
    period = _("%(s)s 至 %(e)s") % {"s": selection.start, "e": selection.end}
    counts = {"c": f"{figure.count:,}", "e": f"{figure.entries:,}"}
    return {
        "exact": _exact(figure.value),
        "period_text": period,
        "rows_href": reverse("turnover_rows") + selection.query(),
        "count_note": _("%(c)s 项合同，%(e)s 笔入账") % counts,
        "rows_note": _("最近 10 笔；全部 %(e)s 笔相加，就是上面的数") % counts,
        "rows_link": _("打开全部 %(e)s 笔") % counts,
        "sum_note": _("%(c)s 项合同，%(e)s 笔入账；全部各页相加，就是这个数") % counts,
        "line_title": _("累计与路径") if target else _("累计"),
        "tiles_title": _("按买方所在旗区") if selection.basis == "absorbed" else _("按卖方所在旗区"),
    }


def _plan_text(plan: Any) -> str:
    if plan is None:
        return ""
    return _("%(plan)s到 %(year)d 年为止，下一个目标尚未下达，因此今年没有目标线。下达后由主管部门在后台录入。") % {
        "plan": plan.plan,
        "year": plan.end_year,
    }


def _selection(request: HttpRequest) -> Selection | HttpResponse:
    try:
        return Selection.read(request.GET)
    except ValidationError as error:
        return error_page(request, 400, error.messages[0])


def _is_too_small(selection: Selection, figure: catalogue.Figure) -> bool:
    return catalogue.is_too_small(figure, **selection.narrow)


def _tabs(selection: Selection, now: catalogue.Figure, outsider: bool) -> list[dict[str, Any]]:
    out = []
    for key, name in catalogue.BASES.items():
        figure = now if key == selection.basis else selection.figure(basis=key)
        hidden = outsider and _is_too_small(selection, figure)
        out.append(
            {
                "label": name,
                "href": selection.query(basis=key),
                "current": key == selection.basis,
                "count": _("不公布") if hidden else str(presentation.in_yi(figure.value)),
            }
        )
    return out


def _facts(selection: Selection, figure: Any, last: Any, target: Any) -> list[dict[str, Any]]:
    """Same period last year (None: it would name a firm), plan, technology amount, each with its comparison."""
    growth = catalogue.growth(figure.value, last.value) if last is not None else None
    if last is None:
        compared, contracts_then = _("上年同期数不公布"), ""
    else:
        contracts_then = _("上年同期 %(n)s 项") % {"n": f"{last.count:,}"}
        compared = _("上年同期没有入账")
        if last.entries:
            compared = _("上年同期 %(v)s 亿元") % {"v": presentation.in_yi(last.value)}
    facts = [
        {
            "label": _("同比"),
            "value": percent(growth, "sign bare") if growth is not None else _("无可比数"),
            "unit": "%" if growth is not None else "",
            "note": compared,
        }
    ]
    if target is not None and selection.is_plain and selection.basis == target.basis:
        goal, due = targets.linear(target, selection.year), targets.path_until(target, selection.end)
        facts += [
            {
                "label": _("完成全年目标"),
                "value": percent(figure.value / goal, "bare"),
                "unit": "%",
                "note": _("目标 %(g)s，差 %(d)s 亿元")
                % {"g": presentation.in_yi(goal), "d": presentation.in_yi(max(goal - figure.value, catalogue.ZERO))},
            },
            {
                "label": _("比本日路径"),
                "value": f"{presentation.in_yi(figure.value - due):+}".replace("-", "−"),
                "unit": _("亿元"),
                "note": _("路径 %(v)s 亿元") % {"v": presentation.in_yi(due)},
            },
        ]
    facts += [
        {
            "label": _("合同"),
            "value": f"{figure.count:,}",
            "unit": _("项"),
            "note": contracts_then,
        },
        {
            "label": _("其中技术交易额"),
            "value": str(presentation.in_yi(figure.tech)),
            "unit": _("亿元"),
            "note": _("占成交额 %(p)s") % {"p": percent(figure.tech / figure.value)} if figure.value else "",
        },
    ]
    return facts


def _row_context(request: HttpRequest, entries: Any, outsider: bool, names: Names) -> list[dict[str, Any]]:
    """Rows as this viewer may read them: amounts where consented, own contracts, or for insiders."""
    entries = list(entries.select_related("registration__contract"))
    fields = names.fields
    codes = {c for e in entries for c in (e.seller_region, e.buyer_region)}
    regions = names.of_regions(codes)
    own: set[int] = set()
    if outsider and request.user.is_authenticated:
        contracts = [e.registration.contract_id for e in entries]
        own = set(Contract.objects.visible_to(request.user).filter(pk__in=contracts).values_list("pk", flat=True))
    out = []
    for entry in entries:
        contract = entry.registration.contract
        open_amount = not outsider or contract.consents_to_amount or contract.pk in own
        out.append(
            {
                "entry": entry,
                "number": entry.registration.registration_number,
                "href": entry.registration.get_absolute_url(),
                "type": GROUPS.get(entry.contract_type[:2], entry.contract_type),
                "field": fields.get(entry.technology_field[:2], entry.technology_field),
                "seller_region": regions.get(entry.seller_region, entry.seller_region or _("境外")),
                "buyer_region": regions.get(entry.buyer_region, entry.buyer_region or _("境外")),
                "amount_total": entry.amount_total if open_amount else None,
                "amount_tech": entry.amount_tech if open_amount else None,
            }
        )
    return out


def _not_counted() -> dict[str, int]:
    """Applications that are no turnover: on their way, or refused."""
    return Registration.objects.aggregate(
        open=Count("pk", filter=Q(state__in=OPEN_STATES)), refused=Count("pk", filter=Q(state=REFUSED))
    )
