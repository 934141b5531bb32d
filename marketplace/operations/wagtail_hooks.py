"""Reports and the search index in Wagtail: what its log may say, the page 检索状态 under 报告."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.translation import gettext_lazy
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from . import search_views, searching
from .models import Report


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    Report.FLOW.register_log_actions(actions)
    actions.register_action("report.new", "提交举报", "提交举报")
    for name, label in searching.LOG_ACTIONS.items():
        actions.register_action(name, label, label)


@hooks.register("register_admin_urls")
def search_urls() -> list[Any]:
    return [
        path("search-state/", search_views.state, name="search_state"),
        path("search-state/rebuild/", search_views.rebuild, name="search_rebuild"),
        path("search-state/retry/", search_views.retry, name="search_retry"),
        path("search-state/alarms/<int:pk>/", search_views.close_alarm, name="search_alarm"),
    ]


class StaffOfTheIndex(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return searching.may_tend(request.user)


@hooks.register("register_reports_menu_item")
def search_menu() -> MenuItem:
    return StaffOfTheIndex(
        gettext_lazy("检索状态"), reverse("search_state"), name="search-state", icon_name="search", order=900
    )
