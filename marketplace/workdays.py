"""Working days of the People's Republic of China: time limits of law and of this market are counted in them.

The State Council sets each year's days off and the working weekends the November before; the calendar (package
chinesecalendar) therefore knows no year beyond the last announced one. A year that is missing is said, never guessed
silently: `working_days_after` raises, `deadline` falls back to calendar days and marks its answer as provisional.
The day from which is counted is not counted itself (Civil Code art. 201).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import chinese_calendar
from django.utils.translation import gettext as _

ONE = dt.timedelta(days=1)


class MissingCalendar(LookupError):
    """No days off are known for a year; `year` says which. The text is Chinese and meant for people."""

    def __init__(self, year: int) -> None:
        super().__init__(_("系统里还没有 %(year)d 年的放假安排。") % {"year": year})
        self.year = year


@dataclass(frozen=True)
class Deadline:
    """The last day of a period. `is_provisional`: counted in calendar days because a year's calendar is missing."""

    day: dt.date
    missing_year: int | None = None

    @property
    def is_provisional(self) -> bool:
        return self.missing_year is not None

    @property
    def warning(self) -> str:
        """One sentence for the page, empty where the day is exact."""
        if self.missing_year is None:
            return ""
        return _("%(year)d 年放假安排尚未载入，此日期暂按自然日折算，载入后以工作日为准。") % {
            "year": self.missing_year
        }


def is_working_day(day: dt.date) -> bool:
    """True on working days, working weekends (调休) included. Raises MissingCalendar for a year without calendar."""
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as error:
        raise MissingCalendar(day.year) from error


def working_days_after(day: dt.date, count: int) -> dt.date:
    """The `count`th working day after `day` (count ≥ 0; 0 gives `day` itself). Raises MissingCalendar."""
    if count < 0:
        raise ValueError("count working days forward only")
    while count:
        day += ONE
        count -= is_working_day(day)
    return day


def working_days_between(start: dt.date, end: dt.date) -> int:
    """Working days after `start` up to and with `end`; negative where `end` lies before. Raises MissingCalendar."""
    if end < start:
        return -working_days_between(end, start)
    return sum(is_working_day(start + ONE * n) for n in range(1, (end - start).days + 1))


def deadline(day: dt.date, count: int) -> Deadline:
    """The last day of `count` working days after `day`; provisional (five working days = seven calendar days, rounded
    up) where the calendar of a year on the way is missing."""
    try:
        return Deadline(working_days_after(day, count))
    except MissingCalendar as missing:
        return Deadline(day + dt.timedelta(days=-(-count * 7 // 5)), missing.year)
