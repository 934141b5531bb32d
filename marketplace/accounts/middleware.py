from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from . import acting


class ActingMiddleware:
    """`request.acting`: the organisation that this person acts for now, or None; asked anew at every request, so that a
    membership that ended is gone at once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.acting = SimpleLazyObject(lambda: acting.current(request))  # type: ignore[attr-defined]
        return self.get_response(request)
