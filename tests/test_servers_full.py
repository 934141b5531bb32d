"""`./run test --full`: what is said when a server cannot be had, and that a signal leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests import full
from tests.__main__ import arguments
from tests.conftest import ROOT
from tests.servers import Redis, StartFailed, Unavailable
from tests.servers.process import exists, family

SLEEPER = "import time\ndef test_sleeps():\n    open({mark!r}, 'w').close()\n    time.sleep(60)\n"


def test_the_names_that_may_be_missing_are_not_pytests():
    given = ["--full", "-x", "--allow-missing", "redis", "--allow-missing=nginx", "tests/cms"]
    assert full.split(given) == ({"redis", "nginx"}, ["-x", "tests/cms"])


@pytest.mark.parametrize("words", [["--allow-missing"], ["--allow-missing", "mysql"], ["--allow-missing="]])
def test_an_unknown_name_is_refused_with_those_that_are_known(words, capsys):
    assert full.main(["--full", *words], arguments) == 2
    assert "postgres" in capsys.readouterr().err


def test_what_is_missing_is_said_and_fails_the_run_unless_allowed(capsys):
    missing = {"redis": "没有安装 Redis。"}
    assert full.verdict(0, missing, set()) == 1
    assert "缺少 redis：没有安装 Redis。" in capsys.readouterr().out
    assert full.verdict(0, missing, {"redis"}) == 0
    assert full.verdict(1, missing, {"redis"}) == 1
    assert full.verdict(5, {}, set()) == 2


def test_a_server_that_cannot_be_had_does_not_stop_the_others():
    servers = full.Servers()
    try:
        for name, error in (("redis", Unavailable("没有")), ("nginx", StartFailed("没有起来"))):
            with servers._noting(name):
                raise error
        assert set(servers.missing) == {"redis", "nginx"}
        with pytest.raises(ZeroDivisionError), servers._noting("postgres"):
            raise ZeroDivisionError
        servers.running["redis"] = Redis(servers.folder / "redis")
        assert set(servers._environment()) == {"TEST_FULL", "TEST_REDIS_URL"}
    finally:
        servers.stop()
    assert not servers.folder.exists()


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_full_run_within_ten_seconds_with_all_it_started(tmp_path, sent):
    mark = tmp_path / "started"
    (tmp_path / "test_sleeps.py").write_text(SLEEPER.format(mark=str(mark)))
    process = subprocess.Popen(
        [sys.executable, "-m", "tests", "--full", str(tmp_path / "test_sleeps.py"), "-p", "no:cacheprovider"],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A shell that was itself started in the background would pass on that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    limit = time.monotonic() + 120
    while not mark.exists() and process.poll() is None and time.monotonic() < limit:
        time.sleep(0.1)
    assert mark.exists()
    members = family(process.pid)
    assert len(members) > 4
    began = time.monotonic()
    process.send_signal(sent)
    assert process.wait(timeout=20) == (130 if sent == signal.SIGINT else 143)
    assert time.monotonic() - began < 10
    # Its guard sees the end of the pipe a moment later.
    while any(exists(pid) for pid in members) and time.monotonic() - began < 10:
        time.sleep(0.05)
    assert not [pid for pid in members if exists(pid)]
