"""Health for machines; 纠错/举报 for everybody."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from . import health


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
    body: dict[str, object] = {"ready": not found, "missing": [lack.name for lack in found]}
    if staff:
        body["details"] = {lack.name: lack.detail for lack in found}
    return JsonResponse(body, status=503 if found else 200, json_dumps_params={"ensure_ascii": False})
