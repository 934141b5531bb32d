"""Scenes of the library's tests: published listings in the index, and an index of one's own for each test."""

from __future__ import annotations

from typing import Any

from search import changes
from tests.factories import AchievementFactory, DemandFactory, ExpertFactory, ProjectFactory

FACTORIES = {
    "achievement": AchievementFactory,
    "demand": DemandFactory,
    "expert": ExpertFactory,
    "project": ProjectFactory,
}


def published(kind: str, **kwargs: Any) -> Any:
    """A published listing of a kind."""
    return FACTORIES[kind](published=True, **kwargs)


def index() -> None:
    """Make the index of what is public now."""
    changes.rebuild()
