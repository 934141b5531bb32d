"""People and organisations in Wagtail: what its log may say, lists for administrators, the way to verification."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.snippets.models import register_snippet

from .models import Membership, User, VerificationRequest
from .snippets import PeopleGroup

register_snippet(PeopleGroup)

ACTS = {
    "account.consent": "同意协议与告知",
    "account.edit": "更正个人资料",
    "account.close": "撤回同意并停用账户",
    "account.export": "导出个人资料",
    "organization.found": "建立单位",
    "organization.edit": "修改单位资料",
    "organization.rename": "更名",
    "organization.verify": "核实单位",
    "membership.ask": "申请加入单位",
    "membership.role": "改变单位内的角色",
    "verification.ask": "申请核实",
}


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    Membership.FLOW.register_log_actions(actions)
    VerificationRequest.FLOW.register_log_actions(actions)
    for name, label in ACTS.items():
        actions.register_action(name, label, label)


class ModeratorsOnly(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return request.user.is_moderator


@hooks.register("register_admin_menu_item")
def verification_menu() -> MenuItem:
    return ModeratorsOnly(
        "单位核实", reverse("verifications"), name="verifications", icon_name="clipboard-list", order=130
    )


@hooks.register("before_bulk_action")
def no_bulk_acts_on_users(
    request: HttpRequest, action_type: str, objects: list[Any], action: Any
) -> HttpResponse | None:
    """Wagtail's bulk acts on users leave no row in the log and pass by our form, so that they reach superusers and the
    demo's accounts: roles and sign-in are changed one person at a time."""
    if action.model is not User:
        return None
    messages.error(request, "请逐个打开用户修改角色和登录状态，每次修改都有记录。")
    return redirect("wagtailusers_users:index")
