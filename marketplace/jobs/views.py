"""One's own long work: the list, the page that shows how far it is, stop, fetch the result."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from marketplace import files

from . import services
from .models import Job


@login_required
@require_safe
def jobs(request: HttpRequest) -> HttpResponse:
    """The history, newest first."""
    found = Job.objects.visible_to(request.user).select_related("by", "on_behalf_of")
    page = Paginator(found, 20).get_page(request.GET.get("page"))
    return render(request, "jobs/jobs.html", {"page_obj": page})


@login_required
@require_safe
def job(request: HttpRequest, pk: UUID) -> HttpResponse:
    """How far it is. While it runs the page says so in `data-poll`, and a script asks for `?part=1` again; without
    scripts the button 刷新 does the same."""
    found = get_object_or_404(Job.objects.visible_to(request.user).select_related("by", "on_behalf_of"), pk=pk)
    template = "jobs/_progress.html" if request.GET.get("part") else "jobs/job.html"
    response = render(request, template, {"job": found, **_progress(found)})
    response["Cache-Control"] = "private, no-store"
    return response


@login_required
@require_POST
def cancel(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Ask it to stop; harmless when pressed twice or too late."""
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    services.cancel(found, by=request.user)
    return redirect("job", pk=found.pk)


@login_required
@require_safe
def result(request: HttpRequest, pk: UUID) -> FileResponse:
    """The file that the work made, for whom it was made."""
    found = get_object_or_404(Job.objects.visible_to(request.user), pk=pk)
    if not found.result:
        raise Http404
    return files.serve(found.result, found.result_name or "result")


def _progress(found: Job) -> dict[str, Any]:
    """Share in per cent, steps a second and seconds left, each None where it cannot be known."""
    share = rate = left = None
    if found.total:
        share = min(100, found.done * 100 // found.total)
    if found.started_at and found.done:
        seconds = ((found.finished_at or timezone.now()) - found.started_at).total_seconds()
        rate = found.done / seconds if seconds > 0 else None
    if rate and found.total and found.state == "running":
        left = max(0, round((found.total - found.done) / rate))
    lines = [line.partition(" ")[::2] for line in found.log.splitlines()]
    return {"share": share, "rate": rate, "left": left, "is_open": found.is_open, "lines": lines}
