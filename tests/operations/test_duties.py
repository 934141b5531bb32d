"""One table of duties, two timetables: the beat's and that of the site's own threads."""

from __future__ import annotations

import re

import pytest

from marketplace.celery import app
from marketplace.operations import checks, duties
from tests.databases import ROOT


def test_the_beat_and_the_threads_do_the_same_but_for_the_canary():
    table = duties.duties()
    assert [duty.name for duty in table] == ["index", "matches", "jobs", "mails", "due", "canary"]
    assert [duty.name for duty in table if not duty.in_process] == ["canary"]
    assert set(app.conf.beat_schedule) == {duty.name for duty in table}


def test_every_entry_of_the_beat_names_a_task_that_a_worker_knows():
    known = {task.name for task in checks.our_tasks()}
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} == known


def test_a_sweep_that_nobody_took_up_is_void_so_that_a_gap_of_hours_is_made_up_once():
    for name, entry in app.conf.beat_schedule.items():
        assert 0 < entry["options"]["expires"] <= 60, name
        assert entry["schedule"] <= 60, name


@pytest.mark.parametrize("word", ["eta", "countdown"])
def test_nothing_is_sent_for_later(word):
    """A message with a far date is given again and again until then: what is due later is a row with a date."""
    code = [*ROOT.glob("marketplace/**/*.py"), *ROOT.glob("search/**/*.py"), *ROOT.glob("cms/**/*.py")]
    found = [str(path) for path in code if re.search(rf"\b{word}\s*=", path.read_text())]
    assert len(code) > 100
    assert found == []
