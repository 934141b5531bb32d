from typing import Any

from wagtail import hooks

from .models import Report


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    Report.FLOW.register_log_actions(actions)
    actions.register_action("report.new", "提交举报", "提交举报")
