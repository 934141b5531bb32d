"""One's organisations: found, find, join, manage people and facts, ask for verification or claim."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from marketplace import errors
from marketplace.workflow import Conflict, MoveNotAllowed

from .. import acting, kept, services, verification
from ..forms import FindForm, FoundForm, JoinForm, OrganizationForm, RenameForm, VerificationForm
from ..models import Membership, Organization, VerificationRequest
from ..regions import is_picking, unjudged
from ..selectors import find_exact, organization_history, to_approve

ACCOUNT = {"label": "我的账户", "href": "/accounts/"}


def _crumbs(*rest: dict[str, str]) -> list[dict[str, str]]:
    return [{**ACCOUNT, "label": _(ACCOUNT["label"])}, *rest]


def _mine(request: HttpRequest) -> QuerySet[Organization]:
    """The organisations that this person manages or belongs to; an administrator manages all."""
    if request.user.is_administrator:
        return Organization.objects.all()
    return Organization.objects.filter(pk__in=request.user.organization_ids())


def _is_manager(request: HttpRequest, organization: Organization) -> bool:
    return request.user.is_administrator or request.user.is_head_of(organization)


def _managed(request: HttpRequest, number: str) -> Organization:
    organization = get_object_or_404(_mine(request), number=number)
    if not _is_manager(request, organization):
        raise Http404
    return organization


@kept.signed_in
def found(request: HttpRequest) -> HttpResponse:
    """A new organisation, with the one that has its name or code already offered instead. `next`: the page that asked
    for one, to which its founder goes back."""
    data = request.POST if request.method == "POST" else kept.take(request)
    form = FoundForm(data, initial={"kind": "company", "name": request.GET.get("name", "")})
    taken = None
    if request.method != "POST" or is_picking(request.POST):
        if data is not None:
            unjudged(form)
    elif form.is_valid():
        values = {
            name: value for name, value in form.cleaned_data.items() if name not in ("province", "city", "county")
        }
        try:
            organization = services.found_organization(by=request.user, **values)
        except (services.NameTaken, services.CodeTaken) as error:
            taken = error.organization
            if taken.pk in request.user.organization_ids():
                # The same form was sent twice: one organisation.
                return _after_founding(request, taken)
            form.add_error("name" if isinstance(error, services.NameTaken) else "credit_code", error)
        else:
            acting.choose(request, organization)
            return _after_founding(request, organization)
    context = {
        "form": form,
        "taken": taken,
        "next": _asked_from(request),
        "crumbs": _crumbs({"label": _("建立单位")}),
    }
    return render(request, "accounts/organization_new.html", context)


def _asked_from(request: HttpRequest) -> str:
    """The address on this site that sent one here, or nothing."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    fits = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if fits else ""


def _after_founding(request: HttpRequest, organization: Organization) -> HttpResponse:
    if address := _asked_from(request):
        text = _("“%(name)s”已建立，您是负责人。请接着办刚才的事，随后在工作台申请核实。")
        messages.success(request, text % {"name": organization})
        return redirect(address)
    messages.success(request, _("“%(name)s”已建立，您是负责人。下一步：申请核实。") % {"name": organization})
    return redirect("organization_verify", organization.number)


@kept.signed_in
def find(request: HttpRequest) -> HttpResponse:
    """Which organisation to join: only an exact name, code or number finds one."""
    form = FindForm(request.GET or None)
    organization = find_exact(form.cleaned_data["q"]) if request.GET and form.is_valid() else None
    if organization is not None:
        return render(request, "accounts/organization_join.html", _join_context(request, organization, JoinForm()))
    context = {
        "form": form,
        "missed": bool(request.GET) and form.is_valid(),
        "crumbs": _crumbs({"label": _("加入单位")}),
    }
    return render(request, "accounts/organization_find.html", context)


@kept.signed_in
def join(request: HttpRequest, number: str) -> HttpResponse:
    """Ask an organisation to take one in. One that is not public is open to whoever gave its exact name (`q`)."""
    data = request.POST if request.method == "POST" else kept.take(request)
    named = find_exact((data or request.GET).get("q", ""))
    organization = Organization.objects.visible_to(request.user).filter(number=number).first()
    if organization is None and (named is None or named.number != number):
        raise Http404
    organization = organization or named
    form = JoinForm(data)
    if request.method == "POST" and form.is_valid():
        try:
            membership = services.ask_to_join(by=request.user, organization=organization, **form.cleaned_data)
        except MoveNotAllowed as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, _("已向“%(name)s”提交加入申请，批准后会通知您。") % {"name": membership.organization}
            )
            return redirect("account")
    return render(request, "accounts/organization_join.html", _join_context(request, organization, form))


def _join_context(request: HttpRequest, organization: Organization, form: JoinForm) -> dict[str, Any]:
    return {
        "organization": organization,
        "form": form,
        "q": request.POST.get("q") or request.GET.get("q", ""),
        "membership": Membership.objects.filter(user=request.user, organization=organization).first(),
        "has_head": organization.heads().exists(),
        "may_claim": not verification.why_not_ask(organization, request.user),
        "crumbs": _crumbs({"label": _("加入单位")}),
    }


@kept.signed_in
def manage(request: HttpRequest, number: str) -> HttpResponse:
    """One organisation from inside: facts, people, requests, verification, log."""
    organization = get_object_or_404(_mine(request).select_related("region", "verified_by"), number=number)
    is_manager = _is_manager(request, organization)
    people = organization.memberships.filter(state="approved").select_related("user").order_by("-role", "user__name")
    requests = to_approve(request.user).filter(organization=organization) if is_manager else Membership.objects.none()
    own = next((m for m in people if m.user_id == request.user.pk), None)
    context = {
        "organization": organization,
        "is_manager": is_manager,
        "people": people,
        "requests": requests,
        "own": own,
        "names": organization.names.all(),
        "verification": organization.verifications.order_by("-pk").first(),
        "may_ask": is_manager and own is not None and not verification.why_not_ask(organization, request.user),
        "log": [_log_row(entry, organization) for entry in organization_history(organization)],
        "facts": _facts(organization),
        "crumbs": _crumbs({"label": organization.name}),
    }
    return render(request, "accounts/organization.html", context)


def _facts(organization: Organization) -> list[dict[str, Any]]:
    code = organization.credit_code or organization.declared_code
    return [
        {"label": _("编号"), "value": organization.number},
        {"label": _("全称"), "value": organization.name},
        {"label": _("简称"), "value": organization.short_name},
        {"label": _("类别"), "value": organization.get_kind_display()},
        {
            "label": _("统一社会信用代码"),
            "value": code,
            "note": "" if organization.is_verified or not code else _("未核实"),
        },
        {"label": _("法定代表人"), "value": organization.legal_representative},
        {"label": _("所在地区"), "value": organization.region and organization.region.full_name},
        {"label": _("地址"), "value": organization.address},
    ]


def _log_row(entry: Any, organization: Organization) -> dict[str, Any]:
    """A row of the log; what this page says anyway (the organisation's own name) is not repeated in each."""
    data = entry.data or {}
    behalf = data.get("on_behalf_of") or {}
    who = str(entry.user) if entry.user else _("系统")
    # A membership's label begins with the person that it is about.
    about = entry.label.split(" · ")[0] if entry.action.startswith("membership.") else ""
    return {
        "at": entry.timestamp,
        "who": who,
        "what": f"{entry.message}：{about}" if about and about != who else entry.message,
        "for": behalf.get("name", "") if behalf.get("id") != organization.pk else "",
        "note": data.get("note", ""),
    }


@kept.signed_in
def edit(request: HttpRequest, number: str) -> HttpResponse:
    """Short name, address, introduction."""
    organization = _managed(request, number)
    initial = {name: getattr(organization, name) for name in OrganizationForm.base_fields}
    form = OrganizationForm(request.POST or kept.take(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        services.edit_organization(organization, by=request.user, **form.cleaned_data)
        messages.success(request, _("单位资料已保存。"))
        return redirect("organization_manage", organization.number)
    return render(request, "accounts/organization_edit.html", _form_page(organization, form, _("修改单位资料")))


@kept.signed_in
def rename(request: HttpRequest, number: str) -> HttpResponse:
    """Another name: staff with a date, a head only while nobody has verified the old one."""
    organization = _managed(request, number)
    form = RenameForm(request.POST or kept.take(request), initial={"name": organization.name})
    if not request.user.is_administrator:
        del form.fields["from_on"]
    if request.method == "POST" and form.is_valid():
        try:
            services.rename(organization, by=request.user, **form.cleaned_data)
        except MoveNotAllowed as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            form.add_error("name", error)
        else:
            messages.success(request, _("名称已改，原名称和起止日期保留。"))
            return redirect("organization_manage", organization.number)
    return render(request, "accounts/organization_rename.html", _form_page(organization, form, _("更名")))


def _form_page(organization: Organization, form: Any, title: str) -> dict[str, Any]:
    href = f"/accounts/organizations/{organization.number}/"
    crumbs = _crumbs({"label": organization.label, "href": href}, {"label": title})
    return {"organization": organization, "form": form, "heading": title, "crumbs": crumbs}


@kept.signed_in
@require_POST
def membership_act(request: HttpRequest, number: str, pk: int, act: str) -> HttpResponse:
    """approve, decline, remove, head, member: what a head does; leave: what one does oneself. Another's row is 404."""
    rows = Membership.objects.select_related("organization", "user").filter(organization__number=number)
    if act == "leave":
        membership = get_object_or_404(rows.filter(user=request.user), pk=pk)
    else:
        membership = get_object_or_404(rows.filter(organization=_managed(request, number)), pk=pk)
    person, note = membership.user, request.POST.get("note", "")[:300]
    common = {"by": request.user, "version": request.POST.get("version")}
    try:
        if act == "approve":
            services.approve_membership(membership, **common)
            said = _("已批准%(person)s加入。")
        elif act == "decline":
            services.decline_membership(membership, note=note, **common)
            said = _("没有批准%(person)s的申请，理由已告知。")
        elif act in ("remove", "leave"):
            services.leave(membership, note=note, **common)
            said = _("%(person)s已离开单位。") if membership.state == "left" else _("已撤回加入申请。")
        else:
            services.set_role(membership, role=act, **common)
            said = _("%(person)s的角色已改。")
    except Conflict as error:
        return errors.conflict(request, error)
    except MoveNotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said % {"person": person})
    if organization_left(request, membership):
        return redirect("account")
    return redirect("organization_manage", number)


def organization_left(request: HttpRequest, membership: Membership) -> bool:
    """Whether the person has no page of this organisation any more (asked anew: the act may just have ended it)."""
    if request.user.is_administrator:
        return False
    return not Membership.objects.filter(
        user=request.user, organization=membership.organization, state="approved"
    ).exists()


@kept.signed_in
def verify(request: HttpRequest, number: str) -> HttpResponse:
    """Ask staff to verify one's organisation, claim one without people, or send a returned request again."""
    organization, returned = _to_ask_for(request, number)
    why = verification.why_not_ask(organization, request.user, but_for=returned)
    waiting = organization.verifications.filter(state="submitted", applicant=request.user).first()
    context = {
        **_form_page(organization, None, _("单位核实")),
        "why": why,
        "waiting": waiting,
        "returned": returned,
        "is_claim": not request.user.is_head_of(organization),
    }
    if why:
        return render(request, "accounts/organization_verify.html", context)
    data = request.POST if request.method == "POST" else kept.take(request)
    form = VerificationForm(
        data, request.FILES or None, initial=_asked_before(organization, returned), has_document=bool(returned)
    )
    context["form"] = form
    if request.method != "POST" or is_picking(request.POST):
        if data is not None:
            unjudged(form)
    elif form.is_valid():
        try:
            _ask(request, organization, returned, form)
        except Conflict as error:
            return errors.conflict(request, error, mine=_typed(form), theirs=_standing(returned))
        except MoveNotAllowed as error:
            form.add_error(None, str(error))
        except ValidationError as error:
            form.add_error("credit_code", error)
            context["taken"] = getattr(error, "organization", None)
        else:
            messages.success(request, _("申请已提交，核实人员会对照证明材料办理，结果会通知您。"))
            return redirect("account" if context["is_claim"] else "organization_manage", *_args(context, organization))
    return render(request, "accounts/organization_verify.html", context)


def _args(context: dict[str, Any], organization: Organization) -> list[str]:
    return [] if context["is_claim"] else [organization.number]


def _to_ask_for(request: HttpRequest, number: str) -> tuple[Organization, VerificationRequest | None]:
    """The organisation, where this person may know of it, and his own returned request if there is one."""
    returned = (
        VerificationRequest.objects.filter(organization__number=number, applicant=request.user, state="returned")
        .order_by("-pk")
        .first()
    )
    mine = _mine(request).filter(number=number).first()
    organization = mine or Organization.objects.visible_to(request.user).filter(number=number).first()
    if organization is None:
        named = find_exact(request.POST.get("q") or request.GET.get("q", ""))
        organization = named if named is not None and named.number == number else None
    if organization is None and request.user.verifications.filter(organization__number=number).exists():
        organization = Organization.objects.filter(number=number).first()
    if organization is None:
        raise Http404
    return organization, returned


def _asked_before(organization: Organization, returned: VerificationRequest | None) -> dict[str, Any]:
    if returned is not None:
        names = ("credit_code", "legal_representative", "kind", "is_state_institution", "region", "note", "version")
        return {name: getattr(returned, name) for name in names}
    return {
        "credit_code": organization.credit_code or organization.declared_code,
        "legal_representative": organization.legal_representative,
        "kind": organization.kind,
        "is_state_institution": organization.is_state_institution,
        "region": organization.region,
    }


def _ask(
    request: HttpRequest, organization: Organization, returned: VerificationRequest | None, form: VerificationForm
) -> None:
    skip = ("province", "city", "county", "version", "evidence")
    values = {name: value for name, value in form.cleaned_data.items() if name not in skip}
    evidence = form.cleaned_data.get("evidence")
    if returned is None:
        services.request_verification(organization, by=request.user, evidence=evidence, **values)
    else:
        version = form.cleaned_data.get("version")
        services.resubmit_verification(returned, by=request.user, version=version, evidence=evidence, **values)


def _typed(form: VerificationForm) -> dict[str, Any]:
    names = ("credit_code", "legal_representative", "note")
    return {str(form.fields[name].label): form.cleaned_data.get(name, "") for name in names}


def _standing(request: VerificationRequest | None) -> dict[str, Any]:
    if request is None:
        return {}
    now = VerificationRequest.objects.get(pk=request.pk)
    return {
        _("统一社会信用代码"): now.credit_code,
        _("法定代表人或负责人"): now.legal_representative,
        _("说明"): now.note,
    }
