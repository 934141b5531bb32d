"""Wagtail's published and unpublished, heard in its transaction: the record's dates, the version, our one signal."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from wagtail.signals import published, unpublished

from .models import Listing, ListingRecord
from .signals import listing_changed


def connect() -> None:
    published.connect(on_published, dispatch_uid="cms.published")
    unpublished.connect(on_unpublished, dispatch_uid="cms.unpublished")


def on_published(sender: Any, instance: Any, **kwargs: Any) -> None:
    if not isinstance(instance, Listing):
        return
    record = instance.record
    changes: dict[str, Any] = {"withdrawn_at": None, "withdrawn_reason": "", "expired_at": None}
    if record.first_published_at is None:
        changes["first_published_at"] = timezone.now()
    announce(record, "published", **changes)


def on_unpublished(sender: Any, instance: Any, **kwargs: Any) -> None:
    if isinstance(instance, Listing):
        announce(instance.record, "unpublished")


def announce(record: ListingRecord, what: str, **changes: Any) -> None:
    """Set fields of the record, raise its search version and say so; the caller holds the transaction."""
    if changes:
        ListingRecord.objects.filter(pk=record.pk).update(**changes)
        for name, value in changes.items():
            setattr(record, name, value)
    record.raise_search_version()
    listing_changed.send(sender=ListingRecord, record=record, what=what)


def silence_wagtail_mail() -> None:
    """Disconnect the mails that Wagtail sends about workflows."""
    from wagtail.models import TaskState, WorkflowState
    from wagtail.signals import task_submitted, workflow_approved, workflow_rejected, workflow_submitted

    task_submitted.disconnect(sender=TaskState, dispatch_uid="group_approval_task_submitted_email_notification")
    for signal, act in (
        (workflow_submitted, "submitted"),
        (workflow_approved, "approved"),
        (workflow_rejected, "rejected"),
    ):
        signal.disconnect(sender=WorkflowState, dispatch_uid=f"workflow_state_{act}_email_notification")
