"""Time limits: the national calendar of 2026, and a year that nobody has announced yet."""

import datetime as dt

import pytest

from marketplace.workdays import MissingCalendar, deadline, is_working_day, working_days_after, working_days_between


@pytest.mark.parametrize(
    ("day", "count", "last"),
    [
        (dt.date(2026, 11, 24), 10, dt.date(2026, 12, 8)),
        # 1 to 7 October 2026 are days off, Saturday 10 October is worked.
        (dt.date(2026, 9, 30), 1, dt.date(2026, 10, 8)),
        (dt.date(2026, 10, 8), 2, dt.date(2026, 10, 10)),
        (dt.date(2026, 11, 24), 0, dt.date(2026, 11, 24)),
    ],
)
def test_days_off_are_left_out_and_worked_weekends_counted(day, count, last):
    assert working_days_after(day, count) == last
    assert working_days_between(day, last) == count
    assert working_days_between(last, day) == -count


def test_a_year_without_calendar_is_said_and_not_guessed():
    with pytest.raises(MissingCalendar) as refused:
        working_days_after(dt.date(2026, 12, 25), 10)
    assert refused.value.year == 2027
    assert "2027 年" in str(refused.value)
    with pytest.raises(MissingCalendar):
        is_working_day(dt.date(2027, 1, 4))


def test_a_deadline_past_the_calendar_is_marked_provisional():
    exact, provisional = deadline(dt.date(2026, 11, 24), 10), deadline(dt.date(2026, 12, 25), 10)
    assert (exact.day, exact.is_provisional, exact.warning) == (dt.date(2026, 12, 8), False, "")
    assert (provisional.day, provisional.is_provisional) == (dt.date(2027, 1, 8), True)
    assert "2027 年放假安排尚未载入" in provisional.warning


def test_working_days_are_counted_forward_only():
    with pytest.raises(ValueError, match="forward"):
        working_days_after(dt.date(2026, 11, 24), -1)
