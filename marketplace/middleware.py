"""What every request passes: a reference number, a size limit, the language, the page policy, no cached secrets."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

Response = Callable[[HttpRequest], HttpResponse]


class ReferenceMiddleware:
    """Give each request a short number that error pages and logs share; answer HEAD without a body."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.reference = secrets.token_hex(4).upper()  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Reference"] = request.reference  # type: ignore[attr-defined]
        if request.method == "HEAD" and not response.streaming:
            # Its length stays, its body goes: the server would warn of each one.
            response.setdefault("Content-Length", str(len(response.content)))
            response.content = b""
        return response


class LimitsMiddleware:
    """Refuse what is too large before anybody reads it (413 that says the limit), and NUL characters (400)."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        from marketplace import errors

        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > settings.REQUEST_BODY_LIMIT:
            return errors.too_large(request, limit=settings.REQUEST_BODY_LIMIT)
        if "\x00" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return errors.bad_request(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        from marketplace import errors

        return errors.for_exception(request, exception)


class LanguageMiddleware:
    """Chinese first; `?lang=en` or the switch's cookie chooses English. The browser's header does not: officials share
    links and must see the same page."""

    COOKIE = "lang"

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response
        self.known = {code for code, _name in settings.LANGUAGES}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        asked = {"zh": "zh-hans"}.get(request.GET.get("lang", ""), request.GET.get("lang", ""))
        language = asked if asked in self.known else request.COOKIES.get(self.COOKIE, "")
        language = language if language in self.known else settings.LANGUAGE_CODE
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = self.get_response(request)
            if hasattr(response, "render") and not response.is_rendered:
                response.render()
        response["Content-Language"] = "zh-Hans" if language == "zh-hans" else language
        year = 365 * 24 * 3600
        if asked in self.known:
            response.set_cookie(self.COOKIE, language, max_age=year, samesite="Lax", httponly=True)
        if request.GET.get("large") in ("0", "1"):
            response.set_cookie("large", request.GET["large"], max_age=year, samesite="Lax", httponly=True)
        patch_vary_headers(response, ["Cookie"])
        return response


class PolicyMiddleware:
    """Loosen the content policy only where Wagtail's admin needs it: Draftail writes <style> elements."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith("/admin/"):
            update = {"style-src-elem": ["'self'", "'unsafe-inline'"]}
            if request.path.startswith("/admin/images/"):
                # Jcrop's feature test sets one attribute handler `return;`; harmless if blocked, noisy in the console.
                update["script-src-attr"] = [
                    "'unsafe-hashes'",
                    "'sha256-pRzKXKJ8Bz7+aqbT/HcgPYm2PCn+Gvi41o9BJQH6aaI='",
                ]
            response._csp_update = update  # type: ignore[attr-defined]
        return response


class PrivatePagesMiddleware:
    """What a signed-in person sees is never kept by a cache on the way or by the browser's shared history."""

    def __init__(self, get_response: Response) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated and "Cache-Control" not in response:
            response["Cache-Control"] = "private, no-store"
        return response
