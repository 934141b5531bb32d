"""How often one address may do something that needs no account.

The address is taken as TRUSTED_PROXIES says: behind a proxy all visitors are not one, and a forged header does not make
another visitor. Counted in the cache of the process, which is the whole site in the default mode.
"""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest


def _key(request: HttpRequest, act: str) -> str:
    return f"limit:{act}:{get_adapter().get_client_ip(request)}"


def used(request: HttpRequest, act: str) -> int:
    """How many attempts of this address are counted now; counts none itself."""
    return cache.get(_key(request, act), 0)


def is_too_often(request: HttpRequest, act: str, *, amount: int, seconds: int) -> bool:
    """Count one attempt of this address; True beyond `amount` in `seconds`."""
    key = _key(request, act)
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key) > amount
    except ValueError:
        # The entry ran out between the two calls: a new period begins.
        cache.set(key, 1, seconds)
        return False
