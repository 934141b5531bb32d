"""What somebody typed while his sign-in ran out is kept with his session and comes back after signing in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import resolve_url
from django.utils.translation import gettext as _

from cms.secrecy import find_mark

SESSION_KEY = "kept_forms"
# A form of ours is a few kilobytes; what is larger would be somebody filling the session table.
LIMIT = 40_000
FORMS = 3
# A person's resident number (also of a row: row-0-id_number) is kept nowhere as typed.
NEVER = {"csrfmiddlewaretoken", "password", "password1", "password2", "oldpassword", "code", "id_number"}


def keep(request: HttpRequest, path: str = "") -> bool:
    """Keep this POST's fields (no files, no secrets) for a path, its own unless told; True where it was kept. What
    bears a mark of secrecy is not kept."""
    path = path or request.path
    fields = {n: request.POST.getlist(n) for n in request.POST if n.rpartition("-")[2] not in NEVER}
    if find_mark(value for values in fields.values() for value in values):
        return False
    if not fields or sum(len(v) for values in fields.values() for v in values) > LIMIT:
        return False
    kept = request.session.get(SESSION_KEY, {})
    kept.pop(path, None)
    kept[path] = fields
    request.session[SESSION_KEY] = dict(list(kept.items())[-FORMS:])
    return True


def take(request: HttpRequest) -> QueryDict | None:
    """What was kept for this path, once; None where nothing was."""
    kept = request.session.get(SESSION_KEY)
    if not kept or request.path not in kept:
        return None
    fields = kept.pop(request.path)
    request.session[SESSION_KEY] = kept
    data = QueryDict(mutable=True)
    for name, values in fields.items():
        data.setlist(name, values)
    return data


def posted_from(page: Callable[..., str]) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """`login_required` for acts that are only posted: a visitor comes back to the page with their form (its address,
    by the view's own arguments), where `take` gives what he typed; the act's own address would answer 405."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.is_authenticated:
                return view(request, *args, **kwargs)
            address = page(*args, **kwargs)
            if request.method == "POST":
                keep(request, address)
                messages.info(request, _("登录状态已失效，没有办理。请重新登录，再办一次。"))
            return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{urlencode({'next': address})}")

        return wrapper

    return decorate


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """`login_required` for forms: a visitor is sent to sign in, and his text comes back with the form."""

    @wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if request.method == "POST" and keep(request):
            messages.info(request, _("登录状态已失效，没有保存。请重新登录，填写的内容会带回原来的表单。"))
        address = resolve_url(settings.LOGIN_URL)
        return HttpResponseRedirect(f"{address}?{urlencode({'next': request.get_full_path()})}")

    return wrapper
