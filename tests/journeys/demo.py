"""A market with the demo in it, loaded once a run whichever process asks first, and a site that serves a copy of it."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.conf import settings

from tests.databases import ROOT
from tests.operations.markets import Market

# Loading takes 45 s of a processor; on a busy machine many times that.
START_SECONDS = 600
QUIET = ("--without-gossip", "--without-mingle", "--without-heartbeat")


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all processes of this run."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Hold a lock file; the others wait."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def load(folder: Path, **environment: str) -> Market:
    """The demo of today into a new market."""
    market = Market(folder).migrated()
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "seed_demo"],
        env=market.environment(DEMO="1", **environment),
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return market


@pytest.fixture(scope="session")
def demo_market(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None) -> Market:
    """The loaded market; look, but change nothing: others read it, too."""
    shared = shared_folder(tmp_path_factory)
    ready = shared / "demo-ready"
    with one_at_a_time(shared / "demo.lock"):
        if not ready.exists():
            shutil.rmtree(shared / "demo", ignore_errors=True)
            load(shared / "demo")
            ready.touch()
    return Market(shared / "demo")


@dataclass
class Site:
    """A running site."""

    address: str
    market: Market
    log: Path

    def url(self, path: str) -> str:
        return self.address + path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[Site]:
    """`manage.py serve` in that folder until the block ends, with worker and beat where the run has a Redis; ready when
    /readyz says so."""
    port = free_port()
    market = Market(folder)
    ours = market.environment(DEMO="1", PORT=str(port), **environment)
    commands = {"serve": [str(ROOT / "manage.py"), "serve"]}
    if settings.REDIS_URL:
        # The queue's name begins with the prefix: markets that share a Redis do not take each other's tasks.
        ours |= {"REDIS_URL": settings.REDIS_URL, "SEARCH_PREFIX": market.prefix, "WORKER_CONCURRENCY": "2"}
        commands["worker"] = ["-m", "celery", "-A", "marketplace", "worker", *QUIET]
        commands["beat"] = ["-m", "celery", "-A", "marketplace", "beat"]
    with ExitStack() as running:
        started = {name: running.enter_context(_process(folder, name, words, ours)) for name, words in commands.items()}
        site = Site(f"http://127.0.0.1:{port}", market, folder / "serve.log")
        wait_until_ready(site, started["serve"])
        yield site


@contextmanager
def _process(
    folder: Path, name: str, words: list[str], environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the market with its own log; ended with the block."""
    with (folder / f"{name}.log").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, *words], env=environment, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_until_ready(site: Site, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    last = ""
    while time.monotonic() < until:
        assert process.poll() is None, f"the site ended:\n{site.log.read_text()}"
        try:
            with urllib.request.urlopen(site.url("/readyz"), timeout=10):  # noqa: S310
                return
        except urllib.error.HTTPError as error:
            last = error.read().decode()[:300]
        except OSError as error:
            last = str(error)
        time.sleep(0.3)
    raise AssertionError(f"not ready after {START_SECONDS} s: {last}\n{site.log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def demo_site(demo_market: Market, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of this process alone with a copy of the demo: what a journey changes here, nobody else sees."""
    folder = tmp_path_factory.mktemp("site") / "data"
    demo_market.copied_to(folder)
    with serving(folder) as site:
        yield site
