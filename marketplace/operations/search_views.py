"""检索状态: the staff's page about the index, in the back office under 报告."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from marketplace.jobs.models import Job
from search import overview
from search.engines import EngineUnavailable
from search.models import SearchAlarm, SearchChange, SearchRun

from . import searching

PER_PAGE = 20
ENGINES = {"embedded": gettext_lazy("内嵌索引（在本机数据文件夹中）"), "elasticsearch": "Elasticsearch"}
KINDS = {
    "achievement": gettext_lazy("成果"),
    "demand": gettext_lazy("需求"),
    "expert": gettext_lazy("专家"),
    "project": gettext_lazy("项目"),
}
# State of the index: what it is called, and what it means for the site.
STATES = {
    "ok": (gettext_lazy("正常"), gettext_lazy("检索和列表由索引应答。")),
    "down": (
        gettext_lazy("连不上"),
        gettext_lazy(
            "检索引擎没有应答。内容照常保存，列表改由数据库应答并注明；引擎恢复后，等待的改动会自动写入，不会丢失。"
            "请检查 SEARCH_URL 和 Elasticsearch 服务。"
        ),
    ),
    "missing": (gettext_lazy("还没有建立"), gettext_lazy("几秒内会自动开始建立。在此之前列表由数据库应答。")),
    "outdated": (gettext_lazy("版本已旧"), gettext_lazy("索引由旧版程序建立，会自动重建。在此之前列表由数据库应答。")),
    "damaged": (gettext_lazy("已损坏"), gettext_lazy("会自动重建。在此之前列表由数据库应答，内容不受影响。")),
}


def _staff_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 for everybody else: a stranger need not know that there is such a page."""

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not searching.may_tend(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return checked


@never_cache
@_staff_only
@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """How the index is, what waits, what failed, what differed, and what can be done about it."""
    try:
        found, broken = overview.look(), ""
    except EngineUnavailable as error:
        found, broken = None, str(error)
    alarms = SearchAlarm.objects.filter(handled_at=None)
    context = {
        "header_title": _("检索状态"),
        "found": found,
        "broken": broken,
        "engine": ENGINES.get(found.status.engine, found.status.engine) if found else "",
        "health": STATES.get(found.status.state, (found.status.state, "")) if found else ("", ""),
        "waiting": [(KINDS.get(kind, kind), count) for kind, count in sorted(found.waiting.items())] if found else [],
        "minutes": int(found.oldest.total_seconds() // 60) if found and found.oldest else 0,
        "parked": Paginator(SearchChange.objects.parked(), PER_PAGE).get_page(request.GET.get("p")),
        "alarms": alarms[:PER_PAGE],
        "alarm_count": alarms.count(),
        "runs": SearchRun.objects.filter(kind__in=("rebuild", "rollback"))[:5],
        "job": Job.objects.filter(kind=searching.REBUILD, state__in=("queued", "running")).first(),
    }
    return render(request, "operations/admin/search.html", context)


@_staff_only
@require_POST
def rebuild(request: HttpRequest) -> HttpResponse:
    """Start a rebuild and go to the page that shows how far it is."""
    job = searching.rebuild(by=request.user)
    if Job.objects.visible_to(request.user).filter(pk=job.pk).exists():
        return redirect("job", job.pk)
    messages.info(request, _("%(who)s 已经发起了重建，正在进行。") % {"who": job.by})
    return redirect("search_state")


@_staff_only
@require_POST
def retry(request: HttpRequest) -> HttpResponse:
    """Take a parked change up again, or all of them."""
    key = request.POST.get("key", "")
    count = searching.retry([key] if key else None, by=request.user)
    if count:
        messages.success(request, _("%(n)d 条改动重新排队，几秒内会再试。") % {"n": count})
    else:
        messages.info(request, _("没有需要重试的改动：可能刚刚已经写入，或有人先办了。"))
    return redirect("search_state")


@_staff_only
@require_POST
def close_alarm(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that an alarm has been seen to."""
    alarm = get_object_or_404(SearchAlarm, pk=pk)
    if searching.close_alarm(alarm, by=request.user):
        messages.success(request, _("已标为处理。再次发生时会重新出现。"))
    else:
        messages.info(request, _("这条告警已经有人处理过了。"))
    return redirect(reverse("search_state") + "#alarms")
