"""What the clock does to listings: a reminder thirty days before the end of validity, then off the site."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from cms import publishing
from cms.models import KINDS, Listing, listing_model
from marketplace.notifications.models import Notice
from marketplace.notifications.services import notify

from .selectors import SOON
from .signal_handlers import people_of

# So many at a time: the clock comes again in a minute, and nobody waits for a long transaction.
BATCH = 200


def run() -> dict[str, int]:
    """Take expired listings off the site and remind owners of those that will expire; safe at any time and twice."""
    counts = {"expired": 0, "reminded": 0}
    today = timezone.localdate()
    for kind in KINDS:
        over = listing_model(kind)._default_manager.filter(live=True, record__valid_until__lt=today)
        for listing in over.select_related("record__owner")[:BATCH]:
            counts["expired"] += _expire(listing)
        for listing in _to_remind(kind)[:BATCH]:
            counts["reminded"] += _tell(listing, "expiring", days=(listing.record.valid_until - today).days)
    return counts


@transaction.atomic
def _expire(listing: Listing) -> bool:
    """Off the site and the owner told, or neither: a crash between the two would leave him without a word."""
    if not publishing.expire(listing):
        return False
    if listing.record.source == "own":
        _tell(listing, "expired")
    return True


def _to_remind(kind: str) -> list[Listing]:
    """Live listings of members whose end comes near and of whom nobody was told yet."""
    today = timezone.localdate()
    told = set(Notice.objects.filter(kind="posting/notices/expiring").values_list("dedupe_key", flat=True))
    rows = listing_model(kind)._default_manager.filter(
        live=True, record__source="own", record__valid_until__range=(today, today + SOON)
    )
    return [row for row in rows.select_related("record__owner") if _key(row, "expiring") not in told]


def _key(listing: Listing, what: str) -> str:
    """Once for each last day: a renewed listing is reminded of again."""
    return f"posting.{what}:{listing.record.pk}:{listing.record.valid_until.isoformat()}"


def _tell(listing: Listing, what: str, **context: int) -> int:
    record = listing.record
    rows = notify(
        people_of(listing),
        f"posting/notices/{what}",
        dedupe=_key(listing, what),
        url=f"/desk/listings/{record.number}/",
        context={"listing": listing, **context},
    )
    return 1 if rows else 0
