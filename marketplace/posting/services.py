"""Acts on listings by members and moderators: draft, submit, approve, send back, withdraw, renew.

The workflow itself is Wagtail's; these functions are the words of the business for it, used by the site's pages, the
moderation page, the demo and the tests alike. Each is one transaction. What does not fit raises MoveNotAllowed (its
text is for people), a form made from an older version raises Conflict.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from cms import publishing
from cms.models import Listing, ListingRecord
from cms.moderation import NotReviewed
from marketplace.workflow import Conflict, MoveNotAllowed, record_act

from .requirements import lacks

LOG_ACTIONS = {
    "listing.submit": "提交审核",
    "listing.return": "审核退回",
}


class Incomplete(MoveNotAllowed):
    """The listing lacks what a publication needs; `lacks` lists it field by field."""

    def __init__(self, found: list[Any]) -> None:
        super().__init__(_("还不能提交：%(what)s") % {"what": " ".join(lack.message for lack in found)})
        self.lacks = found


@contextmanager
def _in_words(listing: Listing) -> Iterator[None]:
    """cms speaks its own exceptions, as it knows nothing of the marketplace's workflow."""
    try:
        yield
    except (publishing.StaleDraft, publishing.UnderReview) as error:
        raise Conflict(listing, str(error)) from error
    except publishing.PublishingError as error:
        raise MoveNotAllowed(str(error)) from error


def save_draft(listing: Listing, *, by: Any, on_behalf_of: Any, seen: int | str | None = None) -> Listing:
    """Keep what was written without asking whether it is complete; what is public stays. Returns the saved listing.

    A returned review stays open: `submit` takes it up again. Raises Conflict (409) while a review runs and where `seen`
    (the revision that the form was made from) is not the latest any more."""
    with _in_words(listing):
        publishing.save_draft(listing, by=by, on_behalf_of=on_behalf_of, seen=seen)
    return listing


@transaction.atomic
def submit(listing: Listing, *, by: Any, on_behalf_of: Any) -> None:
    """Ask a moderator to publish the latest draft, for the first time or again after it was returned.

    Raises Incomplete, Conflict where a review runs already, MoveNotAllowed where the person may not act for the owner
    or where nothing was changed since the last publication."""
    record = listing.record
    if not record.is_owned_by(by):
        raise MoveNotAllowed(_("您现在不能代表这个单位办理，请先加入单位并由负责人批准。"))
    listing = type(listing)._base_manager.select_related("record__owner").get(pk=listing.pk)
    if publishing.is_under_review(listing):
        raise Conflict(listing, _("已经提交，正在审核。"))
    if listing.live and not listing.has_unpublished_changes:
        raise MoveNotAllowed(_("内容和已公开的一样，没有需要审核的改动。"))
    found = lacks(listing.get_latest_revision_as_object())
    if found:
        raise Incomplete(found)
    start_review(listing, by=by, on_behalf_of=on_behalf_of)


def start_review(listing: Listing, *, by: Any, on_behalf_of: Any = None) -> None:
    """Put the latest revision before the moderators; a returned review goes on, with its history."""
    state = listing.current_workflow_state
    if listing.get_latest_revision() is None:
        listing.save_revision(user=by, clean=False)
    if state is not None and state.status == state.STATUS_NEEDS_CHANGES:
        state.resume(user=by)
    else:
        workflow = listing.get_workflow()
        if workflow is None:
            raise MoveNotAllowed(_("还没有设置审核流程，请联系平台管理员。"))
        workflow.start(listing, by)
    ListingRecord.objects.filter(pk=listing.record.pk).update(submitted_at=timezone.now())
    record_act(listing, "listing.submit", by=by, on_behalf_of=on_behalf_of)


@transaction.atomic
def approve(listing: Listing, *, by: Any, note: str = "") -> Listing:
    """A moderator lets the submitted text pass: it is public from now on. Returns the published listing.

    Raises MoveNotAllowed where nothing waits, for one's own and without the right; Conflict where the text was changed
    after the review began. The owner is told (signal_handlers)."""
    task_state = _waiting_task(listing, by)
    try:
        task_state.task.specific.on_action(task_state, by, "approve", comment=note)
    except NotReviewed as error:
        raise Conflict(listing, str(error)) from error
    except PermissionDenied as error:
        raise MoveNotAllowed(str(error) or _("您不能审核这条内容。")) from error
    return type(listing)._base_manager.get(pk=listing.pk)


@transaction.atomic
def send_back(listing: Listing, *, by: Any, reason: str) -> None:
    """A moderator returns the submitted text to its writer, with what to change. What was public before stays public.

    Raises MoveNotAllowed without a reason, where nothing waits, for one's own and without the right."""
    reason = reason.strip()
    if len(reason) < 5:
        raise MoveNotAllowed(_("请写明退回的原因和怎样修改，至少 5 个字。"))
    task_state = _waiting_task(listing, by)
    try:
        task_state.task.specific.on_action(task_state, by, "reject", comment=reason)
    except PermissionDenied as error:
        raise MoveNotAllowed(str(error) or _("您不能审核这条内容。")) from error


def _waiting_task(listing: Listing, by: Any) -> Any:
    listing = type(listing)._base_manager.select_related("record__owner").get(pk=listing.pk)
    state = listing.current_workflow_state
    if state is None or state.status != state.STATUS_IN_PROGRESS:
        raise MoveNotAllowed(_("这条内容现在不在审核中，可能刚被别人处理过。"))
    task_state = state.current_task_state.specific
    task = task_state.task.specific
    if by is None or "approve" not in [name for name, _label, _modal in task.get_actions(listing, by)]:
        raise MoveNotAllowed(_("您不能审核这条内容：没有审核权限，或者是本人或本单位提交的。"))
    return task_state


def withdraw(listing: Listing, *, by: Any, on_behalf_of: Any, reason: str) -> None:
    """Take a listing off the site, or a submitted one out of review. MoveNotAllowed without a reason or a right."""
    with _in_words(listing):
        publishing.withdraw(listing, by=by, on_behalf_of=on_behalf_of, reason=reason)


def renew(record: ListingRecord, *, by: Any, on_behalf_of: Any, until: dt.date) -> None:
    """A later last day of validity; an expired listing is public again. MoveNotAllowed for an impossible day."""
    with _in_words(record.listing):
        publishing.renew(record, by=by, on_behalf_of=on_behalf_of, until=until)


def delete_draft(listing: Listing, *, by: Any) -> None:
    """Remove a draft that was never public. MoveNotAllowed for anything else."""
    with _in_words(listing):
        publishing.delete_draft(listing, by=by)
