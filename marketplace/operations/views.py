"""Health for machines; 纠错/举报 for everybody."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db import DatabaseError
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from marketplace import errors, limits, workflow

from . import health, services
from .forms import AnswerForm, ReportForm
from .models import Report


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked, so that a busy database never gets a working process killed."""
    return HttpResponse("ok\n", content_type="text/plain; charset=utf-8")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 when the demo is loaded, the index drained and no match due; else 503 with the names of what is missing.

    Staff also see counts and causes; a stranger must not learn how much unpublished work waits.
    """
    try:
        found = health.lacks()
        staff = request.user.is_authenticated and request.user.is_staff
    except DatabaseError:
        found, staff = [health.Lack("database", "")], False
    # Degraded: what is missing keeps nobody from reading and writing.
    state = "ready" if not found else "degraded" if all(lack.is_degraded for lack in found) else "down"
    body: dict[str, object] = {"ready": not found, "state": state, "missing": [lack.name for lack in found]}
    if staff:
        body["details"] = {lack.name: lack.detail for lack in found}
    response = JsonResponse(body, status=503 if found else 200, json_dumps_params={"ensure_ascii": False})
    # Whoever waits for the site asks each second: a 503 is an answer here, not an error for the log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response


# One address may report so often an hour: enough for a careful reader, too few to bury the moderators.
REPORTS_AN_HOUR = 10


def report_new(request: HttpRequest) -> HttpResponse:
    """Say what is wrong with a page. Open to everybody; the answer is a page that confirms what was kept."""
    about = request.GET.get("about", "").strip()[:32]
    form = ReportForm(request.POST or None, initial={"about": about})
    if request.method == "POST" and form.is_valid():
        if limits.is_too_often(request, "report", amount=REPORTS_AN_HOUR, seconds=3600):
            return errors.page(request, 429, _("一小时内最多提交 %(n)d 次。") % {"n": REPORTS_AN_HOUR})
        made = services.report(by=request.user, **form.cleaned_data)
        request.session["reported"] = made.pk
        return redirect("report_done")
    title = services.title_of(about, user=request.user) if about else ""
    return render(request, "operations/report_new.html", {"form": form, "about": about, "about_title": title})


@require_safe
def report_done(request: HttpRequest) -> HttpResponse:
    """What was kept, for the person who just wrote it."""
    made = Report.objects.filter(pk=request.session.get("reported")).first()
    if made is None:
        return redirect("report_new")
    return render(request, "operations/report_done.html", {"report": made})


@login_required
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """Moderators' list: what is open first, or by state."""
    if not request.user.is_moderator:
        raise Http404
    state = request.GET.get("state", "open")
    found = Report.objects.visible_to(request.user).select_related("by", "handled_by")
    if state in dict(Report.STATES):
        found = found.filter(state=state)
    page = Paginator(found, 20).get_page(request.GET.get("page"))
    counts = dict(Report.objects.values_list("state").annotate(n=Count("pk")))
    tabs = [
        {"label": label, "href": f"?state={code}", "count": counts.get(code, 0), "current": code == state}
        for code, label in Report.STATES
    ]
    context = {"page_obj": page, "tabs": tabs, "state": state, "state_query": f"state={state}"}
    return render(request, "operations/reports.html", context)


@login_required
def report(request: HttpRequest, pk: int) -> HttpResponse:
    """Read one report and close it. A form made before somebody else closed it answers 409 with both."""
    found = get_object_or_404(Report.objects.visible_to(request.user).select_related("by", "handled_by"), pk=pk)
    form = AnswerForm(request.POST or None, initial={"version": found.version})
    if request.method == "POST" and form.is_valid():
        answer = form.cleaned_data["answer"]
        close = services.dismiss if request.POST.get("act") == "dismiss" else services.handle
        try:
            workflow.check_version(found, form.cleaned_data["version"])
            close(found, by=request.user, answer=answer)
        except workflow.MoveNotAllowed as error:
            theirs = f"{found.get_state_display()} {found.answer}".strip()
            return errors.conflict(request, error, mine=answer, theirs=theirs)
        return redirect("reports")
    context = {"report": found, "form": form, "moves": found.open_moves(request.user)}
    return render(request, "operations/report.html", context)
