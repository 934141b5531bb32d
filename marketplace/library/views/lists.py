"""The four lists: facets in the query string, rows from the engine (or from the database where it is down)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from .. import facets, finding, rows
from ..filters import FILTERSETS, ListingFilterSet

PAGE_SIZE = 12


def words_of(kind: str) -> dict[str, str]:
    """Title, what one row is called, and the box's label of a list."""
    return {
        "achievement": {"title": _("科技成果"), "nav": _("找成果"), "unit": _("项"), "box": _("在科技成果中查找")},
        "demand": {"title": _("技术需求"), "nav": _("看需求"), "unit": _("条"), "box": _("在技术需求中查找")},
        "expert": {"title": _("专家"), "nav": _("专家与机构"), "unit": _("位"), "box": _("在专家中查找")},
        "project": {"title": _("重大项目"), "nav": _("重大项目"), "unit": _("个"), "box": _("在重大项目中查找")},
    }[kind]


def page_number(request: HttpRequest) -> int:
    """?page= as a number from 1; anything else is the first page."""
    asked = request.GET.get("page", "")
    return max(1, int(asked)) if asked.isdecimal() and len(asked) < 9 else 1


def listing_list(request: HttpRequest, kind: str) -> HttpResponse:
    """One list with its facets, chips, orders and the way on where it is empty."""
    filters = FILTERSETS[kind](request.GET, user=request.user)
    found = finding.find(
        filters,
        request.user,
        page=page_number(request),
        page_size=PAGE_SIZE,
        facets=filters.SHOWN,
        parts=finding.for_rows,
    )
    labels = facets.Labels(request.user)
    chosen = facets.chips(filters, request.GET, labels)
    typed = filters.values.get("q", "")
    keep = _kept(filters, request)
    context = {
        "nav_current": f"{kind}s",
        "kind": kind,
        "words": words_of(kind),
        "filters": filters,
        "found": found,
        "rows": [rows.row(listing, typed) for listing in found.rows],
        "facets": facets.build(filters, found.facets, labels),
        "chips": chosen,
        "sorts": facets.sorts(filters, request.GET),
        "drops": [] if found.total else facets.drops(filters, request.GET, chosen, request.user),
        "typed": typed,
        "query": _query(request),
        "keep": keep,
        "hidden": [item for item in keep if item["name"] not in (*filters.SHOWN, "ordering")],
        "notices": notices(filters, found, typed),
        "crumbs": [{"label": words_of(kind)["nav"]}],
    }
    return render(request, "library/list.html", context)


def notices(filters: ListingFilterSet, found: finding.Found, typed: str) -> list[dict[str, Any]]:
    """What the reader must know of these results: at most one sentence, the gravest first."""
    refused = filters.refused()
    if refused:
        return [{"kind": "wait", "text": _("有条件没有用上：%(why)s") % {"why": " ".join(refused)[:300]}}]
    if found.is_fallback:
        text = _("检索服务暂时不可用，下面是数据库里直接包含这些字的内容，没有按相关度排序，分面不显示数量。")
        return [{"kind": "wait", "text": text + (finding.partial_words() if found.is_partial else "")}]
    if found.relaxed:
        text = _("没有同时包含“%(q)s”全部字词的内容，下面是包含其中一部分的。") % {"q": typed}
        return [{"kind": "", "text": text}]
    return []


def _query(request: HttpRequest) -> str:
    copy = request.GET.copy()
    copy.pop("page", None)
    return copy.urlencode()


def _kept(filters: ListingFilterSet, request: HttpRequest) -> list[dict[str, str]]:
    """What a new search in the box carries along: the chosen filters, not the page."""
    names = [n for n in filters.filters if n != "q"]
    return [{"name": n, "value": v} for n in names for v in request.GET.getlist(n) if v]
