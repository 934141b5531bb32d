"""Documents for the engine's tests: one line sets the scene."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

from search.query import Document

_numbers = itertools.count(1)

NOON = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)


def document(title: str, **given: Any) -> Document:
    """An achievement with this title; `field`, `region`, `modes` are shorthand for terms."""
    terms = dict(given.pop("terms", {}))
    for short, name in (("field", "technology_field"), ("region", "region"), ("modes", "transfer_mode")):
        if short in given:
            value = given.pop(short)
            terms[name] = [value] if isinstance(value, str) else value
    given.setdefault("id", f"CG-2026-{next(_numbers):06d}")
    given.setdefault("kind", "achievement")
    given.setdefault("updated_at", NOON)
    return Document(title=title, terms=terms, **given)
