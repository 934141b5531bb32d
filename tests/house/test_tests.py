"""How the suite itself is run: two processes, nothing of a real market, skips said aloud."""

from __future__ import annotations

import shutil

import pytest

from tests.__main__ import arguments
from tests.conftest import NEEDS


def test_two_processes_unless_the_caller_chooses():
    assert arguments([]) == ["-n", "2", "--dist", "loadfile"]
    assert arguments(["-x"]) == ["-n", "2", "--dist", "loadfile", "-x"]
    assert arguments(["tests/jobs"]) == ["tests/jobs"]
    assert arguments(["-n0"]) == ["-n0"]


@pytest.mark.browser
def test_a_browser_test_runs_only_where_there_is_a_browser():
    assert shutil.which("chromium-headless-shell")


def test_every_skip_says_why_in_chinese():
    for _present, reason in NEEDS.values():
        assert "没有运行：" in reason
