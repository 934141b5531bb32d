"""A form begun before signing in: what was typed lies in the session until its writer is known."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, QueryDict

PREFIX = "posting."
# A form of this length is long for a person; beyond it we ask to sign in first rather than keep text for strangers.
LIMIT = 200_000


def keep(request: HttpRequest, kind: str, forget: tuple[str, ...] = ("owner", "version")) -> bool:
    """Keep what was posted under a kind or a listing's number; False where it is too long. The caller has looked for
    marks of secrecy."""
    data = request.POST.copy()
    for name in ("csrfmiddlewaretoken", *forget):
        data.pop(name, None)
    text = data.urlencode()
    if len(text) > LIMIT:
        return False
    request.session[PREFIX + kind] = text
    return True


def take(request: HttpRequest, kind: str) -> QueryDict | None:
    """Give back what was kept and forget it."""
    text: Any = request.session.pop(PREFIX + kind, None)
    return QueryDict(text, mutable=True) if text else None


def peek(request: HttpRequest, kind: str) -> QueryDict | None:
    text: Any = request.session.get(PREFIX + kind)
    return QueryDict(text, mutable=True) if text else None
