"""A client with a general mandate publishes another listing: its broker may read that one, too."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from cms.models import Disclosure, ListingRecord
from cms.signals import listing_changed

from .models import Mandate
from .services import give_access


def connect() -> None:
    listing_changed.connect(on_listing_changed, dispatch_uid="agencies.access")


def on_listing_changed(sender: Any, record: ListingRecord, what: str, **kwargs: Any) -> None:
    if what != "published" or not record.owner_id or record.listing.disclosure_level == Disclosure.L0:
        return
    lasting = Mandate.objects.covering(record).filter(
        accepted_at__isnull=False, revoked_on__isnull=True, ends_on__gte=timezone.localdate()
    )
    for mandate in lasting.select_related("broker__user"):
        give_access(mandate, record)
