"""What happens when the last task of a listing's workflow is approved (`WAGTAIL_FINISH_WORKFLOW_ACTION`)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _
from wagtail.workflows import publish_workflow_state


class NotReviewed(PermissionDenied):
    """The text that would be published is not the one that was reviewed."""


def finish(workflow_state: Any, user: Any = None) -> None:
    """Publish what was reviewed. Wagtail's default checks publish permission, which moderators have not, and publishes
    the latest revision even where somebody saved another after the review began: refuse then, unless the approver did.
    """
    from . import publishing
    from .models import Listing

    listing = workflow_state.content_object
    if not isinstance(listing, Listing):
        publish_workflow_state(workflow_state, user)
        return
    reviewed = workflow_state.current_task_state.revision
    latest = listing.get_latest_revision()
    if latest.pk != reviewed.pk and latest.user_id != getattr(user, "pk", None):
        raise NotReviewed(_("送审之后内容又改过，请先查看最新内容，再由提交人重新送审。"))
    publishing.publish(listing, by=user)
