"""Worker and beat beside a site that one command started."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from marketplace.operations import companions
from tests.conftest import ROOT


@pytest.mark.parametrize("given", [{}, {"WITH_WORKERS": "1"}, {"REDIS_URL": "redis://127.0.0.1:6379/0"}])
def test_nothing_begins_without_redis_or_unasked(monkeypatch, given):
    for name in ("REDIS_URL", "WITH_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    companions.start()
    assert not companions.wanted()
    assert companions._running == []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _until(condition, seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.1)
    return False


SITE = textwrap.dedent("""
    import sys
    from marketplace.operations import companions
    companions.start()
    print(*[child.pid for child in companions._running], flush=True)
    sys.stdin.readline()
    companions.stop()
""")


@pytest.mark.redis
@pytest.mark.parametrize("end", ["asked", "killed"])
def test_worker_and_beat_end_with_their_site(tmp_path, end):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONUTF8": "1",
        "DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "marketplace.settings.base",
        "REDIS_URL": os.environ["TEST_REDIS_URL"],
        "SEARCH_PREFIX": f"companions-{os.getpid()}",
        "WITH_WORKERS": "1",
    }
    with subprocess.Popen(
        [sys.executable, "-c", SITE],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as site:
        assert site.stdin is not None
        assert site.stdout is not None
        pids = [int(pid) for pid in site.stdout.readline().split()]
        assert len(pids) == 2
        assert _until(lambda: all("celery" in _command(pid) for pid in pids))
        if end == "killed":
            site.kill()
        else:
            site.stdin.write("\n")
            site.stdin.flush()
        site.wait(30)
    assert _until(lambda: not any("celery" in _command(pid) for pid in pids), 15)
