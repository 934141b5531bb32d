"""cms says that a listing's public face changed: one `SearchChange` row in the same transaction."""

from __future__ import annotations

from typing import Any

from cms.models import ListingRecord
from cms.signals import listing_changed

from . import changes


def connect() -> None:
    listing_changed.connect(on_listing_changed, dispatch_uid="search.change")


def on_listing_changed(sender: Any, record: ListingRecord, what: str, **kwargs: Any) -> None:
    changes.record(kind=record.kind, key=record.number, version=record.search_version)
