"""The inbox: one's own notices by day, read and unread."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from marketplace.templatetags.text import day

from .models import Notice
from .services import mark_read, mark_unread

PAGE = 30


@login_required
@require_GET
def inbox(request: HttpRequest) -> HttpResponse:
    """The notices of this person, newest first; ?unread=1 only those that he has not read."""
    only_unread = request.GET.get("unread") == "1"
    own = Notice.objects.filter(recipient=request.user)
    n_unread = own.filter(read_at__isnull=True).count()
    rows = own.filter(read_at__isnull=True) if only_unread else own
    page_obj = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    tabs = [
        {"label": _("全部"), "href": "?", "current": not only_unread, "count": own.count()},
        {"label": _("未读"), "href": "?unread=1", "current": only_unread, "count": n_unread},
    ]
    context = {
        "tabs": tabs,
        "groups": _by_day(page_obj),
        "page_obj": page_obj,
        "query": "unread=1" if only_unread else "",
        "only_unread": only_unread,
        "n_unread": n_unread,
        "crumbs": [{"label": _("工作台"), "href": "/desk/"}, {"label": _("通知")}],
    }
    return render(request, "notifications/inbox.html", context)


def _by_day(notices: Any) -> list[tuple[str, list[Notice]]]:
    today = timezone.localdate()
    grouped = groupby(notices, key=lambda notice: timezone.localdate(notice.created_at))
    names = {0: _("今天"), 1: _("昨天")}
    return [(names.get((today - when).days, str(day(when))), list(rows)) for when, rows in grouped]


@login_required
@require_GET
def open_notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Go where the notice points; it is read then. Only paths of this site stand in a notice."""
    notice = get_object_or_404(Notice, recipient=request.user, pk=pk)
    mark_read(user=request.user, pks=[pk])
    if not url_has_allowed_host_and_scheme(notice.url, allowed_hosts={request.get_host()}):
        return redirect("notices")
    return HttpResponseRedirect(notice.url)


@login_required
@require_POST
def mark(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark one's own notice as read (read=1) or unread."""
    get_object_or_404(Notice, recipient=request.user, pk=pk)
    if request.POST.get("read") == "1":
        mark_read(user=request.user, pks=[pk])
    else:
        mark_unread(user=request.user, pk=pk)
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}):
        return redirect("notices")
    return HttpResponseRedirect(address)


@login_required
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """All of them, and how many."""
    count = mark_read(user=request.user)
    messages.success(request, _("%(n)d 条通知已标为已读。") % {"n": count})
    return redirect("notices")
