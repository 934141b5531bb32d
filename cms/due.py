"""What the clock does to pages: those written ahead go up on their day, those with an end come down."""

from __future__ import annotations

from django.core.management import call_command
from django.utils import timezone
from wagtail.models import Page, Revision


def run() -> dict[str, int]:
    """Publish what is due and take down what is over, by Wagtail's own command; safe at any time and twice.

    Listings carry no such times: `posting.due` ends their validity.
    """
    now = timezone.now()
    counts = {
        "published": Revision.objects.filter(approved_go_live_at__lte=now).count(),
        "ended": Page.objects.filter(live=True, expire_at__lt=now).count(),
    }
    if any(counts.values()):
        call_command("publish_scheduled", verbosity=0)
    return counts
