"""What waits for a person: each app says it in `selectors.waiting_for(user, acting)`, the desk puts it together."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


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
