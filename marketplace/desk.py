"""What waits for a person: each app says it in `selectors.waiting_for(user, acting)`, the desk puts it together.

The desk (library) asks the apps below it by name; an app above it registers its own from `AppConfig.ready()`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Waiting:
    """One thing to do: its verb and object, where, since when, until when; `is_late` marks it with the word 逾期."""

    title: str
    url: str
    detail: str = ""
    group: str = ""
    since: dt.date | None = None
    due: dt.date | None = None
    is_late: bool = False


Source = Callable[[Any, Any], list[Waiting]]
_further: list[Source] = []


def register(source: Source) -> None:
    """Add a `waiting_for` that the desk cannot know by name; registering it again changes nothing."""
    if source not in _further:
        _further.append(source)


def further() -> tuple[Source, ...]:
    """What was registered."""
    return tuple(_further)
