"""Servers of tests: started, killed, frozen, and gone with the process that started them."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import psycopg
import pytest

from tests.conftest import ROOT
from tests.servers import ElasticCluster, Elasticsearch, Nginx, Postgres, Redis, StartFailed, free_port
from tests.servers.ports import is_free
from tests.servers.process import exists, family, frozen
from tests.small_server import Small


class Broken(Small):
    def command(self):
        return [sys.executable, "-c", "import sys; sys.exit('no memory for it')"]


class Silent(Small):
    START_SECONDS = 0.5

    def answers(self):
        return False


def test_ports_are_never_given_twice_and_lie_below_those_of_clients():
    ports = {free_port() for _ in range(50)}
    assert len(ports) == 50
    assert max(ports) < 32768


def test_it_starts_and_ends_with_its_descendants(tmp_path):
    with Small(tmp_path) as server:
        members = family(server.pid)
        assert len(members) == 2
        assert server.is_up()
    assert not [pid for pid in members if exists(pid)]
    assert is_free(server.port)
    assert not server.is_up()


def test_after_a_kill_it_starts_on_the_same_port(tmp_path):
    with Small(tmp_path) as server:
        first, port = server.pid, server.port
        server.kill()
        assert not server.is_up()
        server.start()
        assert (server.port, server.is_up()) == (port, True)
        assert server.pid != first


def test_a_start_that_fails_tells_the_end_of_its_log(tmp_path):
    with pytest.raises(StartFailed, match="no memory for it"):
        Broken(tmp_path).start()


def test_one_that_never_answers_is_ended_in_time(tmp_path):
    server = Silent(tmp_path)
    with pytest.raises(StartFailed, match="没有就绪"):
        server.start()
    assert not server.is_running
    assert is_free(server.port)


def test_a_frozen_one_is_stopped_all_the_same(tmp_path):
    server = Small(tmp_path).start()
    server.freeze()
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 5


def test_one_restarted_from_a_thread_outlives_the_thread(tmp_path):
    with Small(tmp_path) as server:
        server.kill()
        worker = threading.Thread(target=server.start)
        worker.start()
        worker.join()
        time.sleep(0.3)
        assert server.is_up()


def test_it_goes_with_a_process_that_is_killed(tmp_path):
    script = (
        "import time; from tests.small_server import Small\n"
        f"server = Small({str(tmp_path)!r}).start(); print(server.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    pid = int(parent.stdout.readline())
    parent.send_signal(signal.SIGKILL)
    parent.communicate()
    limit = time.monotonic() + 5
    while exists(pid) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not exists(pid)


# The real ones


@pytest.mark.full
@pytest.mark.slow
@pytest.mark.parametrize("make", [Elasticsearch, Postgres, Redis], ids=lambda make: make.name)
def test_a_real_one_lives_through_kill_and_freeze(tmp_path, make):
    with make(tmp_path) as server:
        assert server.is_up()
        server.kill()
        assert not server.is_up()
        server.start()
        with frozen(server):
            assert not server.is_up()
        assert server.is_up()
        server.stop()
        assert is_free(server.port)
        assert server.start().is_up()


@pytest.mark.full
def test_postgres_keeps_what_was_committed_when_it_is_killed(tmp_path):
    with Postgres(tmp_path) as server:
        url = server.create_database("market")
        with psycopg.connect(url, autocommit=True) as line:
            line.execute("CREATE TABLE kept AS SELECT 1 AS one")
        server.kill()
        server.start()
        copy = server.create_database("copy", template="market")
        with psycopg.connect(copy) as line:
            assert line.execute("SELECT one FROM kept").fetchone() == (1,)
        server.drop_database("copy")
        assert not server.has_database("copy")


@pytest.mark.full
def test_elasticsearch_has_the_tokenizers_of_a_distribution(tmp_path):
    from elasticsearch import Elasticsearch as Client

    with Elasticsearch(tmp_path) as server, Client(server.url) as client:
        assert client.ping()
        assert client.info()["version"]["number"].startswith("8.19.")
        for name, tokens in (("whitespace", ["技术", "需求"]), ("keyword", ["技术 需求"])):
            found = client.indices.analyze(tokenizer=name, text="技术 需求")["tokens"]
            assert [one["token"] for one in found] == tokens


@pytest.mark.full
@pytest.mark.slow
def test_a_cluster_goes_on_without_its_master(tmp_path):
    with ElasticCluster(tmp_path) as cluster:
        assert len(cluster.url.split(",")) == 3
        master = cluster.master()
        master.kill()
        cluster.wait_for(2)
        assert cluster.master() is not master
        master.start()
        cluster.wait_for(3, "green")


@pytest.mark.full
def test_nginx_stands_before_a_site(tmp_path):
    with Small(tmp_path / "site") as site, Nginx.proxy(tmp_path / "nginx", site.port) as proxy:
        assert proxy.is_up()
