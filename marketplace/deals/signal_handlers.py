"""A listing became public or changed: its matches are due again, a row in the same transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from cms.models import ListingRecord, Source
from cms.signals import listing_changed

from . import tasks
from .models import MatchDue
from .suggesting import retire


def connect() -> None:
    listing_changed.connect(on_listing_changed, dispatch_uid="deals.match_due")


def on_listing_changed(sender: Any, record: ListingRecord, what: str, **kwargs: Any) -> None:
    if record.kind not in ("demand", "achievement"):
        return
    if what == "access":
        # Who may read the details changes nothing in what all may read.
        return
    if what in ("unpublished", "deleted"):
        MatchDue.objects.filter(record=record).delete()
        retire(record)
        return
    # An imported achievement that is later taken up by a deal is one of few: it goes the way of the others.
    is_quiet = record.source == Source.IMPORTED and what == "published"
    MatchDue.objects.update_or_create(
        record=record,
        defaults={
            "search_version": record.search_version,
            "created_at": timezone.now(),
            "not_before": timezone.now(),
            "tries": 0,
            "error": "",
            "is_quiet": is_quiet,
        },
    )
    if not is_quiet:
        transaction.on_commit(tasks.match.hint, robust=True)
