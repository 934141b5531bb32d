"""Everything due is done once, in whatever order it fails."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from marketplace.operations import due

pytestmark = pytest.mark.django_db


def test_one_app_that_fails_does_not_stop_the_others():
    def breaks():
        raise RuntimeError("没有网络")

    outcome = due.run({"first": breaks, "second": lambda: {"expired": 2}})
    assert outcome.done == {"second": {"expired": 2}}
    assert outcome.failed == {"first": "RuntimeError: 没有网络"}


def test_notices_go_out_after_all_that_write_them():
    assert list(due.duties())[-1] == "notifications"


def test_it_may_run_twice_and_the_second_time_finds_nothing():
    due.run()
    second = due.run()
    assert second.failed == {}
    assert not any(sum(counts.values()) for counts in second.done.values())


def test_the_command_names_who_failed_and_exits_1(monkeypatch, capsys):
    call_command("run_due")
    monkeypatch.setattr(due, "duties", lambda: {"deals": lambda: 1 / 0})
    with pytest.raises(SystemExit) as stop:
        call_command("run_due")
    assert stop.value.code == 1
    assert "deals 失败：ZeroDivisionError" in capsys.readouterr().err
