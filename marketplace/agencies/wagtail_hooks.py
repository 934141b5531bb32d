"""Names of the acts in Wagtail's log (it refuses an act that nobody registered), and the brokers an administrator
enters."""

from __future__ import annotations

from typing import Any

from wagtail import hooks
from wagtail.snippets.models import register_snippet

from .services import LOG_ACTIONS
from .snippets import BrokerViewSet

register_snippet(BrokerViewSet)


@hooks.register("register_log_actions")
def register_acts(actions: Any) -> None:
    for action, label in LOG_ACTIONS.items():
        actions.register_action(action, label, label)
