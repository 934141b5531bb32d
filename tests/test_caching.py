"""The shared cache limits visitors while it answers, and refuses nobody when it does not."""

from __future__ import annotations

import socket
import time

import pytest

from marketplace.caching import FORGIVING, ForgivingRedisCache

FAST = {"OPTIONS": {"socket_timeout": 0.3, "socket_connect_timeout": 0.3}}


@pytest.fixture
def deaf():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield ForgivingRedisCache(f"redis://127.0.0.1:{server.getsockname()[1]}/0", FAST)


def test_a_server_that_hangs_costs_one_caller_a_third_of_a_second_and_the_process_counts_itself(deaf, caplog):
    began = time.monotonic()
    assert deaf.add("n", 0, 60)
    assert time.monotonic() - began < 1
    began = time.monotonic()
    assert [deaf.incr("n"), deaf.incr("n")] == [1, 2]
    assert deaf.get_many(["n"]) == {"n": 2}
    assert time.monotonic() - began < 0.05
    assert caplog.text.count("each process counts by itself") == 1


def test_every_way_into_the_server_is_forgiving(deaf):
    arguments = {
        "add": ("a", 1), "get": ("a",), "set": ("a", 1), "touch": ("a",), "delete": ("a",), "get_many": (["a"],),
        "has_key": ("a",), "incr": ("a",), "set_many": ({"a": 1},), "delete_many": (["a"],), "clear": (),
    }  # fmt: skip
    assert set(arguments) == set(FORGIVING)
    deaf.breaker.pause = 0
    deaf._options["socket_timeout"] = deaf._options["socket_connect_timeout"] = 0.05
    deaf.own.set("a", 1)
    for name, given in arguments.items():
        if name == "incr":
            deaf.own.set("a", 1)
        getattr(deaf, name)(*given)


@pytest.mark.full
def test_two_processes_count_together_and_the_count_goes_on_after_the_server_was_away(tmp_path):
    from tests.servers import Redis

    with Redis(tmp_path / "redis") as server:
        one, two = (ForgivingRedisCache(server.url, FAST) for _ in range(2))
        one.breaker.pause = two.breaker.pause = 0.2
        one.set("n", 0)
        assert [one.incr("n"), two.incr("n")] == [1, 2]
        server.freeze()
        assert one.get("n") is None
        server.thaw()
        time.sleep(0.3)
        assert one.get("n") == 2
        server.stop()
        assert two.add("n", 5)
        server.start()
        time.sleep(0.3)
        assert two.get("n") == 2
