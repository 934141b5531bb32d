"""What the clock makes due: inquiries that nobody answered, matches whose owners are still to be told."""

from __future__ import annotations

from django.utils import timezone

from marketplace.workflow import MoveNotAllowed

from . import telling
from .inquiring import lapse
from .models import Inquiry


def run() -> dict[str, int]:
    """Do it, counted; twice is once, and two at once are one."""
    return {"lapsed": lapse_overdue(), "told": telling.tell_rest()}


def lapse_overdue(limit: int = 200) -> int:
    """End the inquiries whose day for an answer is over; the day itself still counts (Civil Code art. 203)."""
    rows = Inquiry.objects.filter(state="sent", respond_by__lt=timezone.localdate())
    rows = rows.select_related("about", "from_organization", "to_organization", "mandate__broker__user")
    done = 0
    for inquiry in rows[:limit]:
        try:
            lapse(inquiry)
        except MoveNotAllowed:
            # Answered a moment ago: that stands.
            continue
        done += 1
    return done
