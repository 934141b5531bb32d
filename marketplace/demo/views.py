"""The demo alone: one-click entry as a role, and the mails that would have gone out. Not routed elsewhere; each view
asks again, so that a wrong line in the routes opens nothing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_GET, require_POST

from marketplace import errors
from marketplace.accounts.models import User

from . import mailbox
from .models import DemoAccount

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


def demo_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """404 outside the demo."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEMO:
            raise Http404
        return view(request, *args, **kwargs)

    return wrapper


def may_be_entered(user: User) -> bool:
    """Whether an account is one of the demo's: nothing that a person could have signed up or been given."""
    return (
        user.is_active
        and not user.is_superuser
        and user.email.endswith("@example.org")
        and not user.has_usable_password()
    )


@demo_only
@require_POST
@csrf_protect
def enter(request: HttpRequest, role: str) -> HttpResponse:
    """Sign in as the role's account, which the demo's loader marked. Refused to somebody signed in already."""
    if request.user.is_authenticated:
        return errors.forbidden(request, PermissionError(_("您已登录。请先退出，再以演示身份进入。")))
    account = get_object_or_404(DemoAccount.objects.select_related("user"), role=role)
    if not may_be_entered(account.user):
        raise Http404
    login(request, account.user, backend=BACKEND)
    messages.success(request, _("您现在是演示账户“%(title)s”。") % {"title": account.title})
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        address = resolve_url(settings.LOGIN_REDIRECT_URL)
    return HttpResponseRedirect(address)


@demo_only
@require_GET
def mail(request: HttpRequest) -> HttpResponse:
    """The mails that a real site would have sent, latest first; codes can be read here."""
    recipient = request.GET.get("to", "")[:200]
    context = {
        "mails": mailbox.newest(recipient),
        "recipient": recipient,
        "crumbs": [{"label": _("演示邮箱")}],
    }
    return render(request, "demo/mail.html", context)
