"""What cms adds to Wagtail's back office, and what it takes away from it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from wagtail import hooks
from wagtail.snippets.models import register_snippet

from . import publishing
from .models import Listing
from .models.moderation import is_own
from .snippets import CodeGroup, ListingGroup
from .taxonomy import Code

register_snippet(ListingGroup)
register_snippet(CodeGroup)


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """Wagtail's log refuses an action that nobody registered."""
    for name, label in publishing.LOG_ACTIONS.items():
        actions.register_action(name, label, label)


@hooks.register("insert_global_admin_js")
def start_widgets() -> SafeString:
    """Our templates print arguments instead of inline scripts; this one file calls the initialisers."""
    return format_html('<script src="{}"></script>', static("admin/start.js"))


@hooks.register("construct_homepage_panels")
def no_unpaged_queue(request: HttpRequest, panels: list[Any]) -> None:
    """Wagtail's "waiting for my review" asks two queries for each listing and has no pages; ours has."""
    panels[:] = [p for p in panels if getattr(p, "name", "") != "workflow_objects_to_moderate"]


@hooks.register("construct_main_menu")
def no_foreign_help(request: HttpRequest, items: list[Any]) -> None:
    """Wagtail's help menu leads to another host, in English."""
    items[:] = [item for item in items if item.name != "help"]


@hooks.register("before_publish")
def never_ones_own(request: HttpRequest, listing: Any) -> HttpResponse | None:
    """The Publish button of a superuser passes by the moderation task: the same rule here."""
    if isinstance(listing, Listing) and is_own(listing, request.user):
        messages.error(request, "不能发布本人或本单位提交的内容，请由另一位审核员审核。内容已存为草稿。")
        return redirect(listing.snippet_viewset.get_url_name("list"))
    return None


@hooks.register("before_unpublish")
def withdraw_instead(request: HttpRequest, listing: Any) -> HttpResponse | None:
    """Wagtail's unpublish leaves no trace on the record: staff withdraw instead, which the public page tells."""
    if not isinstance(listing, Listing) or request.method != "POST":
        return None
    try:
        publishing.withdraw(listing, by=request.user, on_behalf_of=None, reason="由平台工作人员下线")
    except publishing.PublishingError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "已下线。公开页面显示已撤回。")
    return redirect(listing.snippet_viewset.get_url_name("list"))


@hooks.register("before_delete_snippet")
def only_what_was_never_public(request: HttpRequest, snippets: list[Any]) -> HttpResponse | None:
    """What was public is withdrawn, codes are deactivated; neither is deleted (old records point to them)."""
    for snippet in snippets:
        if isinstance(snippet, Listing) and snippet.record.first_published_at:
            messages.error(request, "公开过的条目只能下线，不能删除。")
            return redirect(snippet.snippet_viewset.get_url_name("list"))
        if isinstance(snippet, Code):
            messages.error(request, "代码不能删除，请改为不使用。")
            return redirect(snippet.snippet_viewset.get_url_name("list"))
    return None
