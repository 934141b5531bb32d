"""Staff: which organisations wait for verification, one request beside its document, the decision."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from cms.identifiers import check_credit_code
from marketplace import errors, files
from marketplace.workflow import Conflict, MoveNotAllowed, history

from .. import kept, services
from ..forms import DecisionForm
from ..models import Organization, VerificationRequest
from ..selectors import LATE_DAYS, similar_names, to_verify, verifications_for

PAGE = 30
STATES = ("submitted", "returned", "verified")


@kept.signed_in
@require_GET
def queue(request: HttpRequest) -> HttpResponse:
    """The requests by state, oldest first where they wait; moderators only, others see 404."""
    if not request.user.is_moderator:
        raise Http404
    state = request.GET.get("state") if request.GET.get("state") in STATES else "submitted"
    rows = verifications_for(request.user).filter(state=state)
    rows = rows.order_by("state_since", "pk") if state == "submitted" else rows.order_by("-state_since", "-pk")
    decidable = set(to_verify(request.user).values_list("pk", flat=True)) if state == "submitted" else set()
    page_obj = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    today = timezone.localdate()
    for row in page_obj:
        row.is_own = state == "submitted" and row.pk not in decidable
        row.days = (today - timezone.localdate(row.state_since)).days
        row.is_late = state == "submitted" and row.days > LATE_DAYS
    labels = dict(VerificationRequest.STATES)
    tabs = [
        {
            "label": _(labels[name]),
            "href": f"?state={name}",
            "current": name == state,
            "count": VerificationRequest.objects.filter(state=name).count(),
        }
        for name in STATES
    ]
    crumbs = [{"label": _("工作台"), "href": "/desk/"}, {"label": _("单位核实")}]
    context = {"page_obj": page_obj, "tabs": tabs, "state": state, "query": f"state={state}", "crumbs": crumbs}
    return render(request, "accounts/verifications.html", context)


@kept.signed_in
def detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: what is claimed beside the document, what the machine found, the decision (not on one's own)."""
    row = get_object_or_404(verifications_for(request.user), pk=pk)
    may_decide = row.may("verify", request.user)
    form = DecisionForm(request.POST or kept.take(request), initial={"version": row.version, "act": "verify"})
    if request.method == "POST":
        if not may_decide and row.state == "submitted":
            return errors.forbidden(
                request, MoveNotAllowed(_("本人提交的申请、本人所在单位的申请，请由其他核实人员办理。"))
            )
        if form.is_valid():
            answer = _decide(request, row, form)
            if answer is not None:
                return answer
    context = {
        "row": row,
        "form": form,
        "may_decide": may_decide,
        "is_own": row.state == "submitted" and request.user.is_moderator and not may_decide,
        "checks": _checks(row) if request.user.is_moderator else [],
        "facts": _facts(row),
        "log": [_log_row(entry) for entry in history(row)],
        "file_href": f"/accounts/verifications/{row.pk}/file/",
        "is_image": row.evidence_name.lower().endswith((".jpg", ".jpeg", ".png")),
        "crumbs": _crumbs(request, row),
    }
    return render(request, "accounts/verification.html", context)


def _decide(request: HttpRequest, row: VerificationRequest, form: DecisionForm) -> HttpResponse | None:
    """Do what the button says; a page to answer with, or None to show the form again with its error."""
    act, note, version = (form.cleaned_data[name] for name in ("act", "note", "version"))
    try:
        if act == "verify":
            services.verify(row, by=request.user, note=note, version=version)
            messages.success(request, _("“%(name)s”已核实，申请人已收到通知。") % {"name": row.organization})
        else:
            services.return_verification(row, by=request.user, reason=note, version=version)
            messages.success(request, _("已退回“%(name)s”的申请，理由已告知申请人。") % {"name": row.organization})
    except Conflict as error:
        now = VerificationRequest.objects.get(pk=row.pk)
        theirs = {_("状态"): now.get_state_display(), _("核实意见"): now.decision_note}
        return errors.conflict(request, error, mine={str(form.fields["note"].label): note}, theirs=theirs)
    except (MoveNotAllowed, ValidationError) as error:
        form.add_error(None, error if isinstance(error, ValidationError) else str(error))
        return None
    return redirect("verifications")


def _facts(row: VerificationRequest) -> list[dict[str, Any]]:
    return [
        {"label": _("单位全称"), "value": row.organization.name},
        {"label": _("统一社会信用代码"), "value": row.credit_code},
        {"label": _("法定代表人"), "value": row.legal_representative},
        {"label": _("类别"), "value": row.get_kind_display()},
        {"label": _("国家设立的机构"), "value": _("是") if row.is_state_institution else _("否")},
        {"label": _("所在地区"), "value": row.region.full_name},
        {"label": _("申请人"), "value": f"{row.applicant}（{row.applicant.email}）"},
        {"label": _("申请"), "value": _("认领已有单位") if row.is_claim else _("核实本单位")},
        {"label": _("说明"), "value": row.note},
    ]


def _checks(row: VerificationRequest) -> list[dict[str, str]]:
    """What the machine can say: the code's own checks, another holder of it, its area, names that look alike."""
    try:
        warnings = check_credit_code(row.credit_code).warnings
        found = [{"state": "ok", "name": _("代码校验位"), "detail": _("18 位代码的校验位相符")}]
    except ValidationError as error:
        warnings = ()
        found = [{"state": "bad", "name": _("代码校验位"), "detail": error.messages[0]}]
    found += [{"state": "wait", "name": _("代码细则"), "detail": text} for text in warnings]
    area = row.credit_code[2:8]
    same = area[:4] == row.region_id[:4]
    found.append(
        {
            "state": "ok" if same else "wait",
            "name": _("登记机关所在地"),
            "detail": _("代码第 3 至 8 位 %(code)s，填报地区 %(region)s")
            % {"code": area, "region": row.region.full_name},
        }
    )
    other = Organization.objects.filter(credit_code=row.credit_code).exclude(pk=row.organization_id).first()
    if other is not None:
        found.append(
            {
                "state": "bad",
                "name": _("代码已有单位使用"),
                "detail": f"{other} {other.number}",
                "clause": _("查看该单位"),
                "href": other.get_absolute_url(),
            }
        )
    for organization in similar_names(row):
        found.append(
            {
                "state": "wait",
                "name": _("名称或代码相近"),
                "detail": f"{organization} {organization.number}",
                "clause": _("查看该单位"),
                "href": organization.get_absolute_url(),
            }
        )
    return found


def _log_row(entry: Any) -> dict[str, Any]:
    data = entry.data or {}
    return {
        "at": entry.timestamp,
        "who": str(entry.user) if entry.user else _("系统"),
        "what": entry.message,
        "for": (data.get("on_behalf_of") or {}).get("name", ""),
        "note": data.get("note", ""),
    }


def _crumbs(request: HttpRequest, row: VerificationRequest) -> list[dict[str, str]]:
    if request.user.is_moderator:
        return [{"label": _("单位核实"), "href": "/accounts/verifications/"}, {"label": row.organization.name}]
    return [{"label": _("我的账户"), "href": "/accounts/"}, {"label": _("核实申请")}]


@kept.signed_in
@require_GET
def document(request: HttpRequest, pk: int) -> HttpResponse:
    """The document of a request: for staff and the applicant, everybody else 404."""
    row = get_object_or_404(verifications_for(request.user), pk=pk)
    if not row.evidence:
        raise Http404
    return files.serve(row.evidence, row.evidence_name or "document", inline=request.GET.get("inline") == "1")
