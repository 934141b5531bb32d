from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter


class AccountAdapter(DefaultAccountAdapter):
    """allauth with our user model: one name, no username."""

    def populate_username(self, request: Any, user: Any) -> None:
        """There is none."""
