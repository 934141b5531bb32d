"""A review ended, on whichever page: the log gets the reason, the owner is told. Inside Wagtail's transaction."""

from __future__ import annotations

from typing import Any

from wagtail.models import WorkflowState
from wagtail.signals import workflow_approved, workflow_rejected

from cms.models import Listing
from marketplace.notifications.services import notify
from marketplace.workflow import record_act


def connect() -> None:
    workflow_approved.connect(on_approved, sender=WorkflowState, dispatch_uid="posting.approved")
    workflow_rejected.connect(on_rejected, sender=WorkflowState, dispatch_uid="posting.rejected")


def people_of(listing: Listing, *others: Any) -> list[Any]:
    """Who is told about a listing: who made it, who sent it in, and the heads of its organisation."""
    record = listing.record
    people = [person for person in (record.created_by, *others) if person is not None]
    if record.owner_id:
        heads = record.owner.memberships.filter(state="approved", role="head").select_related("user")
        people += [membership.user for membership in heads]
    return people


def on_approved(sender: Any, instance: WorkflowState, user: Any = None, **kwargs: Any) -> None:
    listing = instance.content_object
    if isinstance(listing, Listing):
        notify(
            people_of(listing, instance.requested_by),
            "posting/notices/published",
            dedupe=f"posting.published:{instance.pk}",
            url=listing.get_absolute_url(),
            context={"listing": listing},
        )


def on_rejected(sender: Any, instance: WorkflowState, user: Any = None, **kwargs: Any) -> None:
    listing = instance.content_object
    if not isinstance(listing, Listing):
        return
    task_state = instance.current_task_state
    record_act(listing, "listing.return", by=user, note=task_state.comment)
    notify(
        people_of(listing, instance.requested_by),
        "posting/notices/returned",
        dedupe=f"posting.returned:{task_state.pk}",
        url=f"/desk/listings/{listing.number}/",
        context={"listing": listing, "reason": task_state.comment},
    )
