"""The words of the log for contracts and registrations, and what administrators set up."""

from __future__ import annotations

from typing import Any

from wagtail import hooks
from wagtail.snippets.models import register_snippet

from .models import Registration
from .snippets import RegistrationGroup

register_snippet(RegistrationGroup)

ACTS = {
    "registration.draft": "开始填写登记表",
    "registration.attach": "上传附件",
    "registration.detach": "移除附件",
}


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    Registration.FLOW.register_log_actions(actions)
    for name, label in ACTS.items():
        actions.register_action(name, label, label)
