"""/search/?q=: one box over all kinds. Names, codes and numbers are looked up first, words are ranked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _

from cms.models import KINDS
from search.query import Query
from search.resolve import Resolved, resolve

from .. import finding, rows, selectors
from ..filters import FILTERSETS
from .home import TRIES
from .lists import page_number, words_of

PAGE_SIZE = 12
# What is one thing alone is jumped to; a name is only offered, for others may be meant.
JUMPS = ("listing", "patent")


@dataclass
class Answer:
    """One page of mixed rows and how many each kind has. `is_partial`: the database answered and there may be more."""

    page: Any
    counts: Mapping[str, int] = field(default_factory=dict)
    relaxed: bool = False
    is_fallback: bool = False
    is_partial: bool = False
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def search(request: HttpRequest) -> HttpResponse:
    """Results of all kinds under tabs; an exact number leads straight to its page."""
    typed = FILTERSETS["achievement"]({"q": request.GET.get("q", "")}, user=request.user).values.get("q", "")
    scope = request.GET.get("scope", "")
    scope = scope if scope in KINDS else ""
    named = resolve(typed, request.user) if typed else []
    if len(named) == 1 and named[0].what in JUMPS and named[0].url:
        return HttpResponseRedirect(named[0].url)
    answer = ask(typed, scope, request.user, page_number(request)) if typed else None
    context = {
        "nav_current": "search",
        "typed": typed,
        "scope": scope,
        "answer": answer,
        "rows": [rows.row(one, typed) for one in answer.page.object_list] if answer else [],
        "tabs": _tabs(typed, scope, answer) if answer else [],
        "named": [_named(one, request.user) for one in named],
        "notice": _notice(answer, typed),
        "list_href": f"/{scope}s/?{_encoded(q=typed)}" if scope else "",
        "query": _encoded(q=typed, scope=scope),
        "crumbs": [{"label": _("查找")}],
        "tries": [{"label": _(t), "href": f"?q={_(t)}"} for t in TRIES],
    }
    return render(request, "library/search.html", context)


def ask(typed: str, scope: str, user: Any, page: int, page_size: int = PAGE_SIZE) -> Answer:
    """One page over all kinds, or of one (`scope`), with the number of hits in each kind."""
    kinds = (scope,) if scope else KINDS
    query = Query(text=typed, kinds=kinds, facets=("kind",), page=page, page_size=page_size)
    results = finding.ask(query, user, place="search", parts=finding.for_rows)
    if results is None:
        return _from_rows(typed, scope, user, page, page_size)
    counted = {kind: results.facets.get("kind", {}).get(kind, 0) for kind in KINDS}
    paginator = finding.Counted(results.total, page_size)
    if page > paginator.num_pages:
        return ask(typed, scope, user, paginator.num_pages, page_size)
    scores = {hit.id: hit.score for hit in results.hits}
    return Answer(paginator.page_of(results.listed, page), counted, results.relaxed, scores=scores)


def _from_rows(typed: str, scope: str, user: Any, page: int, page_size: int) -> Answer:
    """The same from the database: kind after kind, newest first."""
    sets = {kind: FILTERSETS[kind](QueryDict(_encoded(q=typed)), user=user) for kind in KINDS}
    found = {kind: finding.without_engine(filters) for kind, filters in sets.items()}
    keys = [(kind, key) for kind in ([scope] if scope else KINDS) for key in found[kind].keys]
    paginator = finding.Counted(len(keys), page_size)
    page = min(page, paginator.num_pages)
    wanted = keys[(page - 1) * page_size : page * page_size]
    listed: list[Any] = []
    for kind in dict.fromkeys(kind for kind, _key in wanted):
        listed += finding.rows_of(sets[kind], [key for of, key in wanted if of == kind])
    return Answer(
        paginator.page_of(listed, page),
        {kind: len(one.keys) for kind, one in found.items()},
        is_fallback=True,
        is_partial=any(one.is_partial for one in found.values()),
    )


def _encoded(**values: str) -> str:
    query = QueryDict(mutable=True)
    for name, value in values.items():
        if value:
            query[name] = value
    return query.urlencode()


def _tabs(typed: str, scope: str, answer: Answer) -> list[dict[str, Any]]:
    tabs = [{"label": _("全部"), "href": f"?{_encoded(q=typed)}", "current": not scope, "count": answer.total}]
    for kind in KINDS:
        href = f"?{_encoded(q=typed, scope=kind)}"
        label = words_of(kind)["title"]
        tabs.append({"label": label, "href": href, "current": scope == kind, "count": answer.counts.get(kind, 0)})
    return tabs


def _named(found: Resolved, user: Any) -> dict[str, Any]:
    """What a name stands for: a page, a filtered list, or the listings it names."""
    listed = [] if found.url else selectors.achievements_named(list(found.numbers), user)
    href = found.url
    if not href and found.filters:
        query = QueryDict(mutable=True)
        for name, values in found.filters.items():
            query.setlist(name, list(values))
        href = f"/achievements/?{query.urlencode()}"
    return {"label": found.label, "href": href, "rows": [rows.row(one) for one in listed]}


def _notice(answer: Answer | None, typed: str) -> dict[str, str] | None:
    if answer is None:
        return None
    if answer.is_fallback:
        text = _("检索服务暂时不可用，下面是数据库里直接包含这些字的内容，没有按相关度排序。")
        return {"kind": "wait", "text": text + (finding.partial_words() if answer.is_partial else "")}
    if answer.relaxed:
        return {"kind": "", "text": _("没有同时包含“%(q)s”全部字词的内容，下面是包含其中一部分的。") % {"q": typed}}
    return None
