from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from . import acting


class ActingMiddleware:
    """`request.acting`: the organisation that this person acts for now, or None; asked anew at every request, so that a
    membership that ended is gone at once.

    Asked at once, not lazily: a lazy None is not None, and `if acting is not None` would pass. Without a session's
    cookie there is nobody, and nothing is asked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        known = settings.SESSION_COOKIE_NAME in request.COOKIES
        request.acting = acting.current(request) if known else None  # type: ignore[attr-defined]
        return self.get_response(request)
