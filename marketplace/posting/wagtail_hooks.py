"""Posting's acts in Wagtail's log; the moderators' queue in its menu and on its first page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component

from . import moderation
from .selectors import waiting_reviews
from .services import LOG_ACTIONS


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """Wagtail's log refuses an action that nobody registered."""
    for name, label in LOG_ACTIONS.items():
        actions.register_action(name, label, label)


@hooks.register("register_admin_urls")
def moderation_urls() -> list[Any]:
    return [
        path("moderation/", moderation.queue, name="posting_moderation"),
        path("moderation/<int:pk>/", moderation.review, name="posting_review"),
    ]


class ModeratorsOnly(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return request.user.is_moderator


@hooks.register("register_admin_menu_item")
def moderation_menu() -> MenuItem:
    return ModeratorsOnly("待审核", reverse("posting_moderation"), name="moderation", icon_name="check", order=120)


class WaitingPanel(Component):
    """How much waits, with the way to the queue."""

    order = 50
    template_name = "posting/admin/waiting_panel.html"

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        return {"count": waiting_reviews().count()}


@hooks.register("construct_homepage_panels")
def waiting_panel(request: HttpRequest, panels: list[Any]) -> None:
    if request.user.is_moderator:
        panels.append(WaitingPanel())
