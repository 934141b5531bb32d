"""`./run services`: up returns when they answer, what it leaves is found and ended, nothing stays by accident."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.conftest import ROOT
from tests.servers import Postgres, services
from tests.servers.place import Place
from tests.servers.ports import answers, is_free


class Market:
    """A scratch DATA_DIR and the command on it."""

    def __init__(self, folder):
        self.folder = folder / "data"
        self.place = Place(self.folder)
        self.environment = {**os.environ, "DATA_DIR": str(self.folder)}

    def services(self, *words):
        return subprocess.run(
            [sys.executable, "-m", "tests.servers", *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def port(self, name):
        return self.place.read("ports")[name]


@pytest.fixture
def market(tmp_path):
    made = Market(tmp_path)
    yield made
    made.services("down")
    # A market keeps its data between two starts; where the folder is closed to PostgreSQL's user, they lie elsewhere.
    Postgres(made.place.folder / "postgres").discard()


@pytest.mark.parametrize("words", [[], ["start"], ["up", "mysql"]])
def test_wrong_words_exit_2_with_the_right_ones(market, words):
    done = market.services(*words)
    assert done.returncode == 2
    assert "up|down|status" in done.stderr


def test_without_any_status_is_1_and_down_is_content(market):
    done = market.services("status")
    assert done.returncode == 1
    assert done.stdout.count("没有启动") == 4
    assert market.services("down").returncode == 0


def test_a_killed_supervisors_leavings_count_for_nothing(tmp_path):
    place = Place(tmp_path)
    with place.commanding():
        pass
    (place.folder / "lock").write_text("1\n")
    place.write("wanted", {"generation": 1, "names": ["redis"]})
    assert place.supervisor() is None
    assert services.status(place) == 1


def test_a_second_supervisor_is_refused(tmp_path):
    place = Place(tmp_path)
    with place.commanding():
        pass
    with place.take():
        assert place.supervisor() == os.getpid()
        assert place.take() is None
    assert place.supervisor() is None


def test_a_taken_port_is_changed(tmp_path):
    import socket

    place = Place(tmp_path)
    with place.commanding():
        place.settle_port("redis")
    first = place.read("ports")["redis"]
    place.settle_port("redis")
    assert place.read("ports")["redis"] == first
    with socket.create_server(("127.0.0.1", first)):
        place.settle_port("redis")
    assert place.read("ports")["redis"] != first


@pytest.mark.full
@pytest.mark.slow
def test_up_status_down(market):
    done = market.services("up", "redis", "postgres")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = market.place.environment.read_text().splitlines()
    assert f"REDIS_URL=redis://127.0.0.1:{market.port('redis')}/0" in lines
    assert f"DATABASE_URL=postgres://postgres@127.0.0.1:{market.port('postgres')}/market" in lines
    supervisor = market.place.supervisor()
    # A second time nothing happens, more is added to the same.
    assert market.services("up", "redis").returncode == 0
    assert market.services("up", "nginx").returncode == 0
    assert market.place.supervisor() == supervisor
    assert market.services("status").returncode == 0
    assert market.services("status", "elasticsearch").returncode == 1
    assert market.services("down", "redis").returncode == 0
    assert not answers(market.port("redis"))
    assert answers(market.port("postgres"))
    assert "REDIS_URL" not in market.place.environment.read_text()
    assert market.services("down").returncode == 0
    assert market.place.supervisor() is None
    assert not market.place.environment.exists()
    assert is_free(market.port("postgres"))


@pytest.mark.full
def test_the_same_folder_keeps_its_data(market):
    import redis

    assert market.services("up", "redis").returncode == 0
    with redis.Redis(port=market.port("redis")) as line:
        line.set("kept", "1")
    market.services("down")
    assert market.services("up", "redis").returncode == 0
    with redis.Redis(port=market.port("redis")) as line:
        assert line.get("kept") == b"1"


@pytest.mark.full
def test_a_killed_supervisor_takes_its_servers_with_it_and_is_noticed(market):
    assert market.services("up", "redis").returncode == 0
    os.kill(market.place.supervisor(), signal.SIGKILL)
    limit = time.monotonic() + 5
    while answers(market.port("redis")) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not answers(market.port("redis"))
    assert market.services("status").returncode == 1
    assert market.services("up", "redis").returncode == 0


@pytest.mark.full
def test_a_server_that_died_is_told_and_started_again(market):
    assert market.services("up", "redis").returncode == 0
    pid = int(subprocess.run(["fuser", f"{market.port('redis')}/tcp"], capture_output=True, text=True).stdout or 0)
    if not pid:
        pytest.skip("fuser 找不到进程")
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    assert market.services("status").returncode == 1
    assert market.services("up", "redis").returncode == 0
    assert market.services("status").returncode == 0


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_up_leaves_nothing_behind(market, sent):
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.servers", "up", "elasticsearch"],
        cwd=ROOT,
        env=market.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    limit = time.monotonic() + 60
    log = market.place.folder / "elasticsearch/elasticsearch.log"
    while not log.exists() and time.monotonic() < limit:
        time.sleep(0.02)
    process.send_signal(sent)
    assert process.wait(timeout=15) == (130 if sent == signal.SIGINT else 143)
    assert market.place.supervisor() is None
    assert is_free(market.port("elasticsearch"))
    assert not market.place.environment.exists()
