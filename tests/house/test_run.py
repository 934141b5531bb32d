"""The script says what is missing with its cure, exits as interfaces promise, and ends what it started."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

REAL = os.path.realpath(sys.executable)


class House:
    """A copy of the script in a folder without an environment, and programs put before it on PATH."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "house"
        self.bin = folder / "bin"
        (self.root / "requirements").mkdir(parents=True)
        self.bin.mkdir()
        shutil.copy(ROOT / "run", self.root / "run")
        shutil.copytree(ROOT / "marketplace/operations", self.root / "marketplace/operations")
        (self.root / "requirements/dev.txt").write_text("six==1.17.0 --hash=sha256:" + "0" * 64 + "\n")
        # Only what the script itself calls; no Python but those that a test puts there.
        for name in (
            "bash",
            "dirname",
            "date",
            "seq",
            "sleep",
            "mktemp",
            "tail",
            "cat",
            "rm",
            "grep",
            "tee",
            "readlink",
            "flock",
            "true",
        ):
            (self.bin / name).symlink_to(shutil.which(name))

    def program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(f"#!/usr/bin/env bash\n{text}\n")
        path.chmod(0o755)

    def python(self, refuse: str = "") -> None:
        """The real Python, that fails where its arguments contain `refuse`."""
        check = f'case "$*" in *"{refuse}"*) exit 1;; esac' if refuse else ""
        self.program("python3.11", f'{check}\nexec {REAL} "$@"')

    def environment(self, **more: str) -> dict[str, str]:
        return {"PATH": str(self.bin), "HOME": str(self.root), "LC_ALL": "C.UTF-8", **more}

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "bash"), str(self.root / "run"), *arguments],
            env=self.environment(**more),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            stdin=subprocess.DEVNULL,
        )


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.mark.parametrize("script", ["run", ".ci/run"])
def test_the_scripts_are_bash_and_may_be_started(script):
    path = ROOT / script
    assert subprocess.run(["bash", "-n", path], check=False).returncode == 0
    assert os.access(path, os.X_OK)


def test_what_is_not_there_exits_2_with_words(house):
    done = house.run("nonsense")
    assert done.returncode == 2
    assert "./run services up|down|status" in done.stderr


@pytest.mark.parametrize("form", ["test", "check", "manage", "services", "worker", "beat"])
def test_every_form_needs_a_python(house, form):
    done = house.run(form)
    assert done.returncode == 2
    assert "apt-get install python3" in done.stderr


def test_without_python_it_names_the_package(house):
    done = house.run()
    assert done.returncode == 2
    assert "3.11" in done.stderr
    assert "apt-get install python3" in done.stderr


def test_a_python_that_is_too_old_is_no_python(house):
    house.python(refuse="version_info")
    assert house.run("manage", "check").returncode == 2


def test_without_venv_it_names_the_package(house):
    house.python(refuse="import venv")
    done = house.run("manage", "check")
    assert done.returncode == 2
    assert "python3-venv" in done.stderr


def test_a_taken_port_is_said_before_anything_is_installed(house):
    house.python()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = house.run(PORT=str(port))
    assert done.returncode == 2
    assert f"端口 {port} 已被" in done.stderr
    assert "PORT=" in done.stderr.split("。", 1)[1]
    assert not (house.root / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_said(house):
    house.python()
    (house.root / "file").write_text("")
    done = house.run(DATA_DIR=str(house.root / "file" / "var"), PORT="0")
    assert done.returncode == 2
    assert "不能写入" in done.stderr
    assert "PORT 应为" in done.stderr


@pytest.mark.slow
def test_an_unreachable_index_is_said_with_its_cure(house):
    house.python()
    house.program("uv", 'if [ "$1" = --version ]; then exit 0; fi; echo "error: Failed to fetch" >&2; exit 2')
    done = house.run("manage", "check", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="0")
    assert done.returncode == 2
    assert "访问不到 Python 软件包索引" in done.stderr
    assert "PIP_INDEX_URL" in done.stderr
    assert not (house.root / ".venv/lock-stamp").exists()


def addresses(house, *lines):
    """What `services up` leaves in the folder; the lock that its supervisor would hold."""
    folder = house.root / "var"
    (folder / "services").mkdir(parents=True)
    (folder / "services.env").write_text("".join(f"{line}\n" for line in lines))
    # An environment that is ready, whose Python tells what it was given.
    (house.root / ".venv/bin").mkdir(parents=True)
    python = house.root / ".venv/bin/python"
    python.write_text(
        "#!/usr/bin/env bash\n"
        'case "$1" in *manage.py) echo "$DATABASE_URL|$SEARCH_URL|$REDIS_URL|$PATH_OF_EVIL";; -) echo same;; esac\n'
    )
    python.chmod(0o755)
    (house.root / ".venv/lock-stamp").write_text("same\n")
    return (folder / "services/lock").open("w")


@pytest.fixture
def servers_of_the_market(house):
    with addresses(house, "DATABASE_URL=postgres://p@h/m?a=b", "# x", "REDIS_URL=redis://h", "PATH_OF_EVIL=1") as lock:
        yield lock


def test_servers_that_run_are_used_where_a_variable_is_unset(house, servers_of_the_market):
    fcntl.flock(servers_of_the_market, fcntl.LOCK_EX)
    done = house.run("manage", "check", SEARCH_URL="embedded:", REDIS_URL="")
    assert done.stdout.strip() == "postgres://p@h/m?a=b|embedded:||"


def test_servers_that_no_longer_run_are_not_used_and_said(house, servers_of_the_market):
    done = house.run("manage", "check")
    assert done.stdout.strip() == "|||"
    assert "./run services up" in done.stderr


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_installation_within_ten_seconds(house, sent):
    house.python()
    mark = house.root / "started"
    house.program("uv", f'if [ "$1" = --version ]; then exit 0; fi; echo $$ > {mark}; exec sleep 60')
    process = subprocess.Popen(
        [str(house.bin / "bash"), str(house.root / "run"), "manage", "check"],
        env=house.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # A shell that was itself started in the background would pass on that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    end = time.monotonic() + 10
    while not (mark.exists() and mark.read_text().strip()) and time.monotonic() < end:
        time.sleep(0.05)
    child = int(mark.read_text())
    began = time.monotonic()
    process.send_signal(sent)
    assert process.wait(timeout=10) == 128 + sent
    assert time.monotonic() - began < 10
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
