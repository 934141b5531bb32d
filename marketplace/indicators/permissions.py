"""Who reads single amounts: staff of the bureau and of the offices; everybody else what the parties consented to."""

from __future__ import annotations

from typing import Any


def is_insider(user: Any) -> bool:
    """True for administrators and officers at their post: no suppression, any day as limit."""
    if not getattr(user, "is_authenticated", False) or not user.is_active:
        return False
    return user.is_administrator or user.officer_posts.filter(is_active=True, office__is_active=True).exists()
