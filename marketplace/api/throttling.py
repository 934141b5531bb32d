from __future__ import annotations

from rest_framework.throttling import AnonRateThrottle


class AnonymousReading(AnonRateThrottle):
    """1,200 requests a minute an address; 429 with Retry-After after that."""

    scope = "anon"
