"""Scenes of the library's tests: published listings in the index, and an index of one's own for each test."""

from __future__ import annotations

from typing import Any

from cms.models import ListingRecord
from search import changes
from tests.factories import AchievementFactory, DemandFactory, ExpertFactory, ProjectFactory

FACTORIES = {
    "achievement": AchievementFactory,
    "demand": DemandFactory,
    "expert": ExpertFactory,
    "project": ProjectFactory,
}


def published(kind: str, *, record: dict[str, Any] | None = None, **kwargs: Any) -> Any:
    """A published listing of a kind; `record` sets what the system would have decided about it."""
    listing = FACTORIES[kind](published=True, **kwargs)
    if record:
        ListingRecord.objects.filter(pk=listing.record_id).update(**record)
        listing = type(listing).objects.get(pk=listing.pk)
    return listing


def index() -> None:
    """Make the index of what is public now."""
    changes.rebuild()
