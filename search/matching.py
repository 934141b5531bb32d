"""Demand ↔ supply."""

from __future__ import annotations

from collections.abc import Sequence

from .engines import Engine
from .query import Document, Hit
from .scoring import FIRST


def rank_by_text(
    engine: Engine, document: Document, *, kinds: Sequence[str], limit: int = FIRST, exclude_owner: str = ""
) -> list[Hit]:
    """Order the documents of some kinds by closeness to a text: what `rank` measures and what matches listings."""
    return engine.similar(document, kinds=kinds, limit=limit, exclude_owner=exclude_owner)
