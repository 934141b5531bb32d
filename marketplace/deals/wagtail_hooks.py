"""Names of the acts in Wagtail's log; it refuses an act that nobody registered."""

from __future__ import annotations

from typing import Any

from wagtail import hooks

from .models import Deal, Inquiry, Offer

# Acts that change no state, or make the row.
ACTS = {"inquiry.send": "申请对接", "deal.open": "建立对接", "deal.plan": "写下一步", "offer.make": "报价"}


@hooks.register("register_log_actions")
def register_acts(actions: Any) -> None:
    for model in (Inquiry, Deal, Offer):
        model.FLOW.register_log_actions(actions)
    for action, label in ACTS.items():
        actions.register_action(action, label, label)
