"""The only doors through which a listing becomes public, stops being public, or changes its conditions.

Each act is one transaction and leaves one row in Wagtail's log of the listing: who, for which organisation, why. What
the system decides (owner, availability, validity, version) is written on the record, never into the listing's words:
publishing an older revision therefore brings back words and nothing else.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models, transaction
from django.utils import timezone
from modelcluster.models import ClusterableModel
from wagtail.actions.unpublish import UnpublishAction
from wagtail.log_actions import log
from wagtail.models import ModelLogEntry, Revision
from wagtail.signals import published

from .models import AccessGrant, Availability, Listing, ListingRecord
from .signal_handlers import announce

# A listing may be kept alive for this long at a time (ours; domain/listings.md proposes twelve months as the default).
LONGEST = dt.timedelta(days=731)
DEFAULT_VALIDITY = dt.timedelta(days=365)

LOG_ACTIONS = {
    "listing.draft": "保存草稿",
    "listing.publish": "发布",
    "listing.withdraw": "撤回",
    "listing.expire": "到期下线",
    "listing.renew": "续期",
    "listing.availability": "对接状态变更",
    "listing.grant": "授权查看",
    "listing.owner": "变更单位",
}


class PublishingError(Exception):
    """The act does not fit the listing's state or the person; the text is Chinese and meant for people."""


class StaleDraft(PublishingError):
    """Somebody saved another draft since the form was made."""

    def __init__(self) -> None:
        super().__init__("这条内容刚刚被别人改过，请看过最新内容再保存。")


class UnderReview(PublishingError):
    """A review is running: the reviewed text must not change under the moderator's eyes."""

    def __init__(self) -> None:
        super().__init__("正在审核，暂时不能修改。审核有结果或您撤回后才能再改。")


def is_under_review(listing: Listing) -> bool:
    """True while a moderator has the listing before him (not while it lies returned with its writer)."""
    state = listing.current_workflow_state
    return state is not None and state.status == state.STATUS_IN_PROGRESS


@transaction.atomic
def save_draft(listing: Listing, *, by: Any, on_behalf_of: Any = None, seen: int | str | None = None) -> Revision:
    """Keep what was written as a new revision; what is public stays as it is. Returns the revision.

    listing: a new object (its `record` new or saved) or one from `get_latest_revision_as_object()`, children included.
    seen: number of the revision that the form was made from; StaleDraft where another is the latest by now.
    Raises UnderReview while a moderator has it, PublishingError where the person may not act for the owner.
    """
    _require_right(listing.record, by)
    if listing.pk is None:
        _save_row(listing, by)
    else:
        _lock(listing.record)
        stands = type(listing)._base_manager.values_list("latest_revision_id", flat=True).get(pk=listing.pk)
        if seen not in (None, "") and str(seen) != str(stands):
            raise StaleDraft
        if is_under_review(listing):
            raise UnderReview
    revision = listing.save_revision(user=by, clean=False)
    _log(listing, "listing.draft", by=by, on_behalf_of=on_behalf_of, revision=revision)
    return revision


def _save_row(listing: Listing, by: Any) -> None:
    """The first save: record and row. Children and codes of a draft live in its revision only, hence not the cluster's
    save, which would write them into the database."""
    record = listing.record
    if record.pk is None:
        record.kind = listing.KIND
        record.created_by = record.created_by or by
        record.valid_until = record.valid_until or timezone.localdate() + DEFAULT_VALIDITY
        record.save()
        listing.record = record
    listing.live = False
    super(ClusterableModel, listing).save()


@transaction.atomic
def publish(listing: Listing, *, by: Any, note: str = "") -> Listing:
    """Publish the latest revision without asking anybody (moderation's last step, intake, the demo); a running review
    ends with it. `note` says in the log why no moderator looked. Returns the listing as it is now public."""
    _lock(listing.record)
    revision = listing.get_latest_revision() or listing.save_revision(user=by, clean=False)
    revision.publish(user=by, skip_permission_checks=True, log_action=False)
    fresh: Listing = type(listing)._base_manager.get(pk=listing.pk)
    _log(fresh, "listing.publish", by=by, note=note, revision=revision)
    return fresh


@transaction.atomic
def withdraw(listing: Listing, *, by: Any, on_behalf_of: Any, reason: str) -> None:
    """Take a listing back: a running review is cancelled, the public page answers 410. The words stay with the owner.

    By somebody who acts for the owner, or by staff. PublishingError where there is nothing to take back, no reason, or
    no right."""
    record = listing.record
    _require_right(record, by)
    reason = reason.strip()
    if not reason:
        raise PublishingError("请写明撤回的原因。")
    _lock(record)
    listing = type(listing)._base_manager.get(pk=listing.pk)
    review = listing.current_workflow_state
    if not listing.live and review is None:
        raise PublishingError("这条内容没有公开，也没有在审核，无需撤回。")
    if review is not None:
        review.cancel(user=by)
    was_live = listing.live
    if was_live:
        UnpublishAction(listing, user=by, log_action=False).execute(skip_permission_checks=True)
        _set(record, withdrawn_at=timezone.now(), withdrawn_reason=reason[:200])
    _log(listing, "listing.withdraw", by=by, on_behalf_of=on_behalf_of, note=reason, data={"was_public": was_live})


@transaction.atomic
def expire(listing: Listing) -> bool:
    """Take a listing off the site because its validity is over; twice is once. True where something changed."""
    _lock(listing.record)
    listing = type(listing)._base_manager.get(pk=listing.pk)
    record = listing.record
    if not listing.live or record.valid_until is None or record.valid_until >= timezone.localdate():
        return False
    revision = listing.live_revision
    UnpublishAction(listing, set_expired=True, log_action=False).execute(skip_permission_checks=True)
    _set(record, expired_at=timezone.now())
    _log(listing, "listing.expire", by=None, revision=revision, data={"valid_until": record.valid_until.isoformat()})
    return True


@transaction.atomic
def renew(record: ListingRecord, *, by: Any, on_behalf_of: Any, until: dt.date) -> None:
    """Set a later last day; an expired listing is public again with the words that a moderator had let pass.

    until: at most LONGEST from today. PublishingError for a day that is past, too far or earlier than the present one,
    for a withdrawn listing, and without the right to act for the owner."""
    _require_right(record, by)
    _lock(record)
    record.refresh_from_db()
    today = timezone.localdate()
    if until <= today:
        raise PublishingError("有效期要在今天之后。")
    if until > today + LONGEST:
        raise PublishingError("有效期一次最多续两年，请选早一些的日期。")
    if record.withdrawn_at:
        raise PublishingError("这条内容已撤回，要重新公开请修改后提交审核。")
    if record.valid_until and until < record.valid_until:
        raise PublishingError("新的有效期早于现在的有效期。要提前下线请用“撤回”。")
    before = record.valid_until
    _set(record, valid_until=until)
    # Fresh from the database: an object at hand may carry words that nobody has let pass.
    listing = type(record.listing)._base_manager.select_related("record").get(record=record)
    if record.expired_at and not listing.live:
        _republish(listing)
    elif listing.live:
        announce(record, "availability")
    data = {"from": before.isoformat() if before else None, "to": until.isoformat()}
    _log(listing, "listing.renew", by=by, on_behalf_of=on_behalf_of, data=data)


def _republish(listing: Listing) -> None:
    """Make the row's words public again. A newer draft stays a draft: no revision is published, the row is what was
    public last."""
    last = (
        ModelLogEntry.objects.for_instance(listing)
        .filter(action__in=("listing.publish", "wagtail.publish", "listing.expire"), revision__isnull=False)
        .order_by("-timestamp", "-pk")
        .first()
    )
    revision = last.revision if last else None
    listing.live, listing.expired = True, False
    listing.live_revision = revision
    listing.last_published_at = timezone.now()
    listing.has_unpublished_changes = bool(revision and listing.latest_revision_id != revision.pk)
    super(ClusterableModel, listing).save()
    published.send(sender=type(listing), instance=listing, revision=revision)


@transaction.atomic
def set_availability(record: ListingRecord, availability: str, *, reference: str, by: Any = None) -> None:
    """Say how far a listing is taken (Availability); reference: number of the deal or contract that says so."""
    value = Availability(availability)
    _lock(record)
    record.refresh_from_db(fields=["availability", "availability_reference"])
    if record.availability == value and record.availability_reference == reference:
        return
    before = record.availability
    _set(record, availability=value.value, availability_reference=reference[:40])
    announce(record, "availability")
    data = {"from": before, "to": value.value, "reference": reference}
    _log(record.listing, "listing.availability", by=by, data=data)


@transaction.atomic
def set_owner(record: ListingRecord, organization: Any, *, by: Any, reason: str) -> None:
    """Staff hands a listing to another organisation (a merger, a wrong import). PublishingError for anybody else, also
    for its owner: a listing is not given away without somebody having looked."""
    if by is not None and not getattr(by, "sees_all_listings", False):
        raise PublishingError("变更条目的单位由平台工作人员办理。")
    _lock(record)
    before = record.owner_name
    _set(record, owner=organization, holder_name="")
    announce(record, "published" if record.listing.live else "unpublished")
    _log(record.listing, "listing.owner", by=by, note=reason, data={"from": before, "to": str(organization)})


@transaction.atomic
def grant(
    record: ListingRecord,
    *,
    organization: Any = None,
    user: Any = None,
    until: dt.date | None = None,
    reason: str,
    by: Any = None,
) -> AccessGrant:
    """Let one organisation or one person read a text that is not public, until a day (inclusive) or without end.

    A grant of the same reason is prolonged, never doubled and never shortened."""
    same = AccessGrant.objects.active().filter(record=record, organization=organization, user=user, reason=reason)
    found = same.first()
    if found is not None and (found.ends_on is None or (until is not None and until <= found.ends_on)):
        return found
    if found is not None:
        found.ends_on = until
        found.save(update_fields=["ends_on"])
    else:
        found = AccessGrant.objects.create(
            record=record, organization=organization, user=user, ends_on=until, reason=reason
        )
    announce(record, "access")
    data = {"to": str(organization or user), "until": until.isoformat() if until else None}
    _log(record.listing, "listing.grant", by=by, note=reason, data=data)
    return found


def delete_draft(listing: Listing, *, by: Any) -> None:
    """Remove a draft that was never public, record and revisions with it. PublishingError for anything else."""
    _require_right(listing.record, by)
    if listing.record.first_published_at or is_under_review(listing):
        raise PublishingError("公开过或正在审核的内容不能删除，只能撤回。")
    listing.delete()


def _lock(record: ListingRecord) -> None:
    """Hold the record's row until commit, so that of two acts on one listing the second sees what the first did.
    SQLite has one writer at a time anyway."""
    ListingRecord.objects.select_for_update().get(pk=record.pk)


def _require_right(record: ListingRecord, by: Any) -> None:
    """The system (None), those who act for the owner, and staff; for an unsaved record the owner is asked, too."""
    if by is None or record.is_owned_by(by) or getattr(by, "sees_all_listings", False) or _edits(record, by):
        return
    raise PublishingError("您现在不能代表这个单位办理，请先加入单位并由负责人批准。")


def _edits(record: ListingRecord, by: Any) -> bool:
    """Experts and projects are written by the platform's editors."""
    return record.kind in ("expert", "project") and by.has_perm(f"cms.change_{record.kind}")


def _set(record: ListingRecord, **changes: Any) -> None:
    ListingRecord.objects.filter(pk=record.pk).update(**changes)
    for name, value in changes.items():
        setattr(record, name, value)


def _log(
    listing: models.Model,
    action: str,
    *,
    by: Any,
    on_behalf_of: Any = None,
    note: str = "",
    data: dict[str, Any] | None = None,
    revision: Revision | None = None,
) -> None:
    """One row of the listing's log, in the form that marketplace.workflow.record_act writes, too."""
    extra: dict[str, Any] = dict(data or {})
    if on_behalf_of is not None:
        extra["on_behalf_of"] = {"id": on_behalf_of.pk, "name": str(on_behalf_of)}
    if note:
        extra["note"] = note
    log(instance=listing, action=action, user=by, data=extra, revision=revision)
