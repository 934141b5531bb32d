"""Owners are told of strong matches, at most once a day and organisation, whichever listing it is about.

What was strong after the day's notice waits for the next day's (`due.run`); imports tell nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from cms.models import ListingRecord
from marketplace.accounts.models import Organization
from marketplace.notifications.services import notify

from .models import Match

SIDES = ("demand", "supply")


def untold(side: str) -> QuerySet[Match]:
    """Strong matches that hold, between public listings, of which that side's owner does not know yet."""
    rows = Match.objects.current().filter(**{"band": "strong", f"{side}_told_at__isnull": True})
    return rows.between_public().filter(**{f"{side}__owner__isnull": False})


def pass_over(record: ListingRecord) -> None:
    """Nobody is told of what this listing's matches are now."""
    for side in SIDES:
        rows = Match.objects.filter(Q(demand=record) | Q(supply=record), **{f"{side}_told_at__isnull": True})
        rows.update(**{f"{side}_told_at": timezone.now()})


def tell(record: ListingRecord) -> int:
    """Tell the owners on both sides of this listing's new strong matches; how many notices were written."""
    return sum(_tell_side(side, untold(side).filter(Q(demand=record) | Q(supply=record))) for side in SIDES)


def tell_rest(limit: int = 200) -> int:
    """Tell what waited for a new day; called by the clock. How many notices were written."""
    return sum(_tell_side(side, untold(side), limit) for side in SIDES)


def _tell_side(side: str, rows: QuerySet[Match], limit: int = 50) -> int:
    owners = rows.order_by().values_list(f"{side}__owner", flat=True).distinct()[:limit]
    return sum(_tell_owner(owner, side) for owner in Organization.objects.filter(pk__in=list(owners)))


@transaction.atomic
def _tell_owner(owner: Organization, side: str) -> int:
    """One notice about all that is new on one side of an organisation, in the transaction that notes it as told."""
    other = "supply" if side == "demand" else "demand"
    rows = list(
        untold(side)
        .filter(**{f"{side}__owner": owner})
        .select_related("demand__demand", "supply__achievement")
        .order_by("pk")
    )
    if not rows:
        return 0
    first = getattr(rows[0], side)
    sent = notify(
        owner.people(),
        "deals/notices/matched",
        dedupe=f"matches-{owner.pk}-{timezone.localdate()}",
        url=f"{first.get_absolute_url()}matches/",
        context={
            "listing": first.listing,
            "rest": len({getattr(row, f"{side}_id") for row in rows}) - 1,
            "count": len(rows),
            "titles": _titles(getattr(row, other) for row in rows[:3]),
        },
    )
    if sent:
        Match.objects.filter(pk__in=[row.pk for row in rows]).update(**{f"{side}_told_at": timezone.now()})
    return len(sent)


def _titles(records: Iterable[Any]) -> list[str]:
    return [record.listing.title for record in records]
