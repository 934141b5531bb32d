"""/desk/: the working page of whoever is signed in."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from .. import desk


@login_required
def desk_page(request: HttpRequest) -> HttpResponse:
    """What waits, the figures and the ways on of this person, for the organisation that he acts for now."""
    acting = getattr(request, "acting", None)
    roles = desk.roles_of(request.user, acting)
    rows = desk.waiting(request.user, acting)
    late = sum(row.is_late for row in rows)
    context = {
        "nav_current": "desk",
        "roles": roles,
        "acts": [{**act, "href": act.get("href") or reverse(act["name"])} for act in desk.acts(roles)],
        "links": [{**link, "href": reverse(link["name"])} for link in desk.links(roles)],
        "figures": desk.figures(request.user, roles),
        "groups": desk.groups(rows[: desk.SHOWN]),
        "total": len(rows),
        "late": late,
        "rest": max(0, len(rows) - desk.SHOWN),
        "needs_organization": acting is None and not (roles.is_officer or roles.is_moderator or roles.is_broker),
        "today": timezone.localdate(),
        "note": _("%(n)d 件，其中逾期 %(late)d 件") % {"n": len(rows), "late": late} if rows else "",
    }
    return render(request, "library/desk.html", context)
