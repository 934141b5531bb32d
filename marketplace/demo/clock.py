"""A clock for the demo's loader: what happened months ago is done by the same services at that moment."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from django.utils import timezone


@contextmanager
def at(moment: dt.datetime) -> Iterator[None]:
    """Let every `timezone.now()` (and so `localdate`, `auto_now_add`) say `moment`. Only the loader may use it: one
    process, one thread, an empty database."""
    with patch.object(timezone, "now", lambda: moment):
        yield


def moment(day: dt.date, hour: int = 10, minute: int = 0) -> dt.datetime:
    """A local time of a day, aware."""
    return dt.datetime.combine(day, dt.time(hour, minute), tzinfo=timezone.get_current_timezone())
