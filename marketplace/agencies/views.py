"""委托: what one's organisation has given to brokers, and what one was given as broker."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from marketplace.accounts import kept

from . import services
from .forms import MandateForm
from .models import Mandate
from .selectors import broker_of

PAGE = 50
STATES = {
    "offered": ("等经纪人答复", "wait"),
    "waiting": ("尚未开始", ""),
    "in_force": ("有效", "ok"),
    "ended": ("已到期", ""),
    "revoked": ("已终止", ""),
}


@login_required
@require_http_methods(["GET", "POST"])
def mandates(request: HttpRequest) -> HttpResponse:
    """The list, and the form by which the organisation one acts for gives another."""
    acting = request.acting or None  # type: ignore[attr-defined]
    form = MandateForm(request.POST or None, client=acting) if acting is not None else None
    if request.method == "POST":
        if form is None:
            raise Http404
        if form.is_valid() and _give(request, form):
            return redirect("mandates")
    rows = (
        Mandate.objects.visible_to(request.user)
        .select_related("broker__user", "broker__organization", "client", "record__achievement", "record__demand")
        .order_by("-created_at", "-pk")
    )
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "agencies/mandates.html",
        {
            "form": form,
            "page_obj": page,
            "lines": [_line(row, request.user) for row in page],
            "broker": broker_of(request.user),
            "acting_name": str(acting) if acting else "",
        },
    )


def _give(request: HttpRequest, form: MandateForm) -> bool:
    """True once the mandate was given; else the form bears the errors."""
    try:
        services.give_mandate(by=request.user, **form.act())
    except ValidationError as error:
        form.add_error(None, error)
        return False
    messages.success(request, _("委托已发给经纪人，他接受后生效。"))
    return True


def _line(row: Mandate, user: Any) -> dict[str, Any]:
    label, kind = STATES[row.state]
    is_broker = row.broker.user_id == user.pk
    lasts = row.state in ("offered", "waiting", "in_force")
    return {
        "row": row,
        "label": label,
        "kind": kind,
        "title": row.record.listing.title if row.record else _("全部成果和需求"),
        "may_accept": is_broker and row.state == "offered" and row.broker.is_current,
        "may_revoke": lasts and (is_broker or row.client_id in user.organization_ids()),
    }


@kept.posted_from(lambda pk, act: reverse("mandates"))
@require_POST
def mandate_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """accept (the broker) or revoke (either side)."""
    rows = Mandate.objects.visible_to(request.user).select_related("broker__user", "client", "record")
    mandate = get_object_or_404(rows, pk=pk)
    if act == "accept":
        services.accept_mandate(mandate, by=request.user)
        messages.success(request, _("已接受委托，期内可以代该单位申请对接和报价。"))
    elif act == "revoke":
        services.revoke_mandate(mandate, by=request.user)
        messages.success(request, _("委托已终止。此前促成的对接仍记在经纪人名下。"))
    else:
        raise Http404
    return redirect("mandates")
