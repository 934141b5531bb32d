"""Intake's acts in Wagtail's log."""

from __future__ import annotations

from typing import Any

from wagtail import hooks

from .services import LOG_ACTIONS


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """Wagtail's log refuses an action that nobody registered."""
    for name, label in LOG_ACTIONS.items():
        actions.register_action(name, label, label)
