"""One's own account: profile, organisations, consent, export, closing; the texts that people agree to."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from marketplace.workflow import MoveNotAllowed, record_act

from .. import acting, export, kept, services
from ..forms import CloseForm, ProfileForm
from ..models import ConsentText, Organization, User, VerificationRequest
from ..selectors import unagreed_texts


@kept.signed_in
@require_GET
def account(request: HttpRequest) -> HttpResponse:
    """Who I am here, for whom I act, what I agreed to, how I sign in."""
    user = request.user
    memberships = list(
        user.memberships.filter(state__in=("requested", "approved"), organization__is_active=True)
        .select_related("organization")
        .order_by("state", "-role", "organization__name")
    )
    context = {
        "crumbs": [{"label": _("我的账户")}],
        "memberships": memberships,
        "claims": _claims(user),
        "consents": user.consents.select_related("text").order_by("-given_at"),
        "unagreed": unagreed_texts(user),
        "facts": [
            {"label": _("姓名"), "value": user.name},
            {"label": _("邮箱"), "value": user.email},
            {"label": _("电话"), "value": user.phone},
            {"label": _("注册日期"), "value": timezone.localdate(user.date_joined)},
            {"label": _("平台角色"), "value": "、".join(sorted(user.group_names)) or _("无")},
        ],
        "has_totp": Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists(),
        "is_shared": getattr(user, "demo_account", None) is not None,
    }
    return render(request, "accounts/account.html", context)


def _claims(user: User) -> list[dict[str, str]]:
    """Claims that this person made and that are not decided in his favour: no membership shows them yet."""
    rows = VerificationRequest.objects.filter(applicant=user, is_claim=True, state__in=("submitted", "returned"))
    return [
        {
            "text": f"{row.organization}：{_(row.get_state_display())}",
            "kind": "bad" if row.state == "returned" else "wait",
            "href": f"/accounts/verifications/{row.pk}/",
        }
        for row in rows.select_related("organization")
    ]


@kept.signed_in
def profile(request: HttpRequest) -> HttpResponse:
    """Correct one's name and telephone."""
    user = request.user
    form = ProfileForm(request.POST or kept.take(request), initial={"name": user.name, "phone": user.phone})
    if request.method == "POST" and form.is_valid():
        services.edit_profile(user=user, **form.cleaned_data)
        messages.success(request, _("个人资料已保存。"))
        return redirect("account")
    crumbs = [{"label": _("我的账户"), "href": "/accounts/"}, {"label": _("更正个人资料")}]
    return render(request, "accounts/profile.html", {"form": form, "crumbs": crumbs})


@kept.signed_in
@require_POST
def choose_acting(request: HttpRequest) -> HttpResponse:
    """Act for another of one's organisations; a stranger's number is 404."""
    number = request.POST.get("organization", "")
    organization = get_object_or_404(Organization, number=number, pk__in=request.user.organization_ids())
    acting.choose(request, organization)
    messages.success(request, _("现在代表“%(name)s”办理。") % {"name": organization})
    address = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return HttpResponseRedirect(address)
    return redirect(settings.LOGIN_REDIRECT_URL)


@kept.signed_in
@require_GET
def my_data(request: HttpRequest) -> HttpResponse:
    """Everything that is held about this person, as a file (个人信息保护法 art. 45)."""
    record_act(request.user, "account.export", by=request.user)
    response = JsonResponse(export.of(request.user), json_dumps_params={"ensure_ascii": False, "indent": 2})
    response["Content-Disposition"] = 'attachment; filename="my-data.json"'
    response["Cache-Control"] = "no-store"
    return response


@kept.signed_in
def close(request: HttpRequest) -> HttpResponse:
    """Withdraw consent and end the account."""
    form = CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            services.close_account(user=request.user)
        except MoveNotAllowed as error:
            form.add_error(None, str(error))
        else:
            logout(request)
            messages.success(request, _("账户已停用，同意已撤回。已办理的事项按规定保存。"))
            return redirect(settings.LOGOUT_REDIRECT_URL)
    crumbs = [{"label": _("我的账户"), "href": "/accounts/"}, {"label": _("撤回同意并停用账户")}]
    return render(request, "accounts/close.html", {"form": form, "crumbs": crumbs})


@kept.signed_in
@require_POST
def agree(request: HttpRequest) -> HttpResponse:
    """Agree to the texts in force: an act of its own, for a version that is new to this person."""
    services.consent(user=request.user)
    messages.success(request, _("已记录您的同意。"))
    return redirect("account")


@require_GET
def text(request: HttpRequest, kind: str) -> HttpResponse:
    """One of the texts, in force or (?version=) as it was."""
    version = request.GET.get("version", "")
    versions = list(ConsentText.objects.filter(kind=kind, effective_on__lte=timezone.localdate()))
    shown: Any = next((t for t in versions if t.version == version), None) if version else (versions or [None])[0]
    if shown is None:
        raise Http404
    context = {"text": shown, "versions": versions, "current": versions[0], "crumbs": [{"label": shown.title}]}
    return render(request, "accounts/text.html", context)
