"""How often one address may do something that needs no account."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest


def is_too_often(request: HttpRequest, act: str, *, amount: int, seconds: int) -> bool:
    """Count one attempt of this address; True beyond `amount` in `seconds`.

    The address is taken as TRUSTED_PROXIES says: a forged header does not make another visitor. Counted in the cache of
    the process, which is the whole site in the default mode.
    """
    key = f"limit:{act}:{get_adapter().get_client_ip(request)}"
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key) > amount
    except ValueError:
        # The entry ran out between the two calls: a new period begins.
        cache.set(key, 1, seconds)
        return False
