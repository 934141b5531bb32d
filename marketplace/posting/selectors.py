"""Reading for posting: my listings, what waits for me, the moderators' queue."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from statistics import quantiles
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.models import TaskState, WorkflowState

from cms.models import KINDS, Demand, Listing, ListingRecord, ModerationTask, listing_model
from marketplace.desk import Waiting

# A review should take no longer (domain/listings.md §1.3: five working days, ours).
REVIEW_DAYS = 5
SOON = dt.timedelta(days=30)


def owned_listing(user: Any, number: str) -> Listing:
    """The listing of that number if this person may act for its owner; else Http404, as if there were none."""
    record = get_object_or_404(ListingRecord, number=number)
    rows: Any = listing_model(record.kind)._default_manager
    found = rows.visible_to(user).owned_by(user).select_related("record__owner__region").filter(record=record).first()
    if found is None:
        raise Http404(number)
    return found


@dataclass(frozen=True)
class State:
    """Where a listing stands, in words: `kind` as of the state mark component."""

    name: str
    label: str
    kind: str = ""


def state_of(listing: Listing) -> State:
    """One word for what the owner must know now."""
    record, review = listing.record, listing.current_workflow_state
    if review is not None:
        if review.status == WorkflowState.STATUS_NEEDS_CHANGES:
            return State("returned", _("已退回，待修改"), "bad")
        return State("review", _("审核中"), "wait")
    if listing.live:
        if listing.has_unpublished_changes:
            return State("public", _("已公开，有未提交的修改"), "ok")
        return State("public", _("已公开"), "ok")
    if record.expired_at:
        return State("expired", _("已到期"), "wait")
    if record.withdrawn_at:
        return State("withdrawn", _("已撤回"), "")
    return State("draft", _("草稿"), "")


def my_records(organization: Any) -> QuerySet[ListingRecord]:
    """Everything of one organisation with its listings and reviews, last changed first."""
    active = WorkflowState.objects.active().select_related("current_task_state")
    rows = (
        ListingRecord.objects.filter(owner=organization).order_by("-changed_at", "-pk").select_related("owner", *KINDS)
    )
    return rows.prefetch_related(
        *(Prefetch(f"{kind}__workflow_states", queryset=active, to_attr="_current_workflow_states") for kind in KINDS),
        *(f"{kind}__latest_revision" for kind in KINDS),
    )


def title_of(listing: Listing) -> str:
    """The title of the latest draft, which may be newer than the public one."""
    revision = listing.latest_revision
    return revision.object_str if revision is not None else listing.title


def waiting_reviews() -> QuerySet[TaskState]:
    """Every listing that a moderator must look at, longest waiting first."""
    types = [ContentType.objects.get_for_model(listing_model(kind)).pk for kind in KINDS]
    return (
        TaskState.objects.filter(
            status=TaskState.STATUS_IN_PROGRESS,
            task__in=ModerationTask.objects.all(),
            workflow_state__status=WorkflowState.STATUS_IN_PROGRESS,
            workflow_state__base_content_type__in=types,
        )
        .select_related("workflow_state__requested_by", "workflow_state__base_content_type", "revision")
        .order_by("started_at", "pk")
    )


def waiting_for(user: Any, acting: Any) -> list[Waiting]:
    """For a member: returned listings, those that expire soon, drafts. For a moderator: the queue as one row."""
    found = _queue(user)
    if acting is None:
        return found
    today = timezone.localdate()
    for record in my_records(acting)[:200]:
        listing = record.listing
        url = f"/desk/listings/{record.number}/"
        state = state_of(listing)
        title = title_of(listing)
        if state.name == "returned":
            task_state = listing.current_workflow_state.current_task_state
            found.append(
                Waiting(
                    title=_("修改“%(title)s”后再次提交") % {"title": title},
                    url=url,
                    detail=_("审核意见：%(reason)s") % {"reason": task_state.comment},
                    group=_("我的发布"),
                    since=timezone.localdate(task_state.finished_at) if task_state.finished_at else None,
                )
            )
        elif state.name == "public" and record.valid_until and record.valid_until - today <= SOON:
            found.append(
                Waiting(
                    title=_("续期“%(title)s”") % {"title": title},
                    url=url,
                    detail=_("到期后自动下线"),
                    group=_("我的发布"),
                    due=record.valid_until,
                )
            )
        elif state.name == "draft":
            found.append(
                Waiting(
                    title=_("写完“%(title)s”并提交审核") % {"title": title},
                    url=url,
                    detail=_("草稿，只有本单位能看到"),
                    group=_("我的发布"),
                    since=timezone.localdate(record.changed_at),
                )
            )
    return found


def _queue(user: Any) -> list[Waiting]:
    if not getattr(user, "is_moderator", False):
        return []
    rows = waiting_reviews()
    count = rows.count()
    if not count:
        return []
    since = timezone.localdate(rows[0].started_at)
    return [
        Waiting(
            title=_("审核 %(n)d 条待发布内容") % {"n": count},
            url="/admin/moderation/",
            detail=_("最早一条提交于 %(day)s") % {"day": since.isoformat()},
            group=_("发布审核"),
            since=since,
            is_late=(timezone.localdate() - since).days > REVIEW_DAYS,
        )
    ]


@dataclass(frozen=True)
class Similar:
    """How others wrote: demands of the same field, published in two years; amounts in 元 (quartiles)."""

    count: int
    median: Decimal
    low: Decimal
    high: Decimal
    negotiable: int


# Fewer than this would tell what single organisations offered.
SIMILAR_FROM = 5


def similar_demands(field_code: str) -> Similar | None:
    """Figures of the demands of one official field (its first two digits), or None where there are too few."""
    since = timezone.now() - dt.timedelta(days=730)
    rows = Demand.objects.public().filter(
        technology_field__code__startswith=field_code[:2], record__first_published_at__gte=since
    )
    budgets = sorted(rows.filter(budget_max__isnull=False).values_list("budget_max", flat=True))
    if len(budgets) < SIMILAR_FROM:
        return None
    low, median, high = quantiles(budgets, n=4, method="inclusive")
    return Similar(rows.count(), median, low, high, rows.filter(is_budget_negotiable=True).count())


def duplicates_of(listing: Listing, limit: int = 5) -> list[Listing]:
    """Listings of the same kind that bear the same title or bundle the same patent: a moderator looks twice."""
    rows: Any = type(listing)._default_manager.exclude(pk=listing.pk).select_related("record__owner")
    same = Q(title=listing.title)
    if listing.kind == "achievement":
        numbers = [patent.number for patent in listing.patents.all() if patent.number]
        if numbers:
            same |= Q(patents__number__in=numbers)
    return list(rows.filter(same).distinct()[:limit])
