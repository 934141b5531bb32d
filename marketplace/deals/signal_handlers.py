"""A listing became public or changed: its matches are due again, a row in the same transaction."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from cms.models import ListingRecord, Source
from cms.signals import listing_changed

from .models import Match, MatchDue


def connect() -> None:
    listing_changed.connect(on_listing_changed, dispatch_uid="deals.match_due")


def on_listing_changed(sender: Any, record: ListingRecord, what: str, **kwargs: Any) -> None:
    if record.kind not in ("demand", "achievement"):
        return
    if what in ("unpublished", "deleted"):
        MatchDue.objects.filter(record=record).delete()
        Match.objects.filter(**{"demand" if record.kind == "demand" else "supply": record}).update(is_current=False)
        return
    MatchDue.objects.update_or_create(
        record=record,
        defaults={
            "search_version": record.search_version,
            "created_at": timezone.now(),
            "not_before": timezone.now(),
            "tries": 0,
            "error": "",
            "is_quiet": record.source == Source.IMPORTED,
        },
    )
