"""A hint tells somebody at once, and costs nearly nothing where nobody is there to be told."""

from __future__ import annotations

import socket
import time

import pytest

from marketplace import hints
from marketplace.celery import app
from search.tasks import drain


@pytest.fixture(autouse=True)
def calm(monkeypatch):
    """A breaker of the test's own, no wakers, Celery's real way of sending."""
    monkeypatch.setattr(hints, "breaker", hints.Breaker())
    monkeypatch.setattr(hints, "wakers", {})
    monkeypatch.setitem(app.conf.changes, "task_always_eager", False)


@pytest.fixture
def without_redis(settings):
    settings.REDIS_URL = ""


@pytest.fixture
def deaf(settings):
    """A server that takes connections and never answers."""
    hints._forget_connection()
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield
    hints._forget_connection()


def test_a_thread_of_this_process_is_woken(without_redis):
    woken, done = [], []
    hints.wakers[drain.name] = lambda: woken.append(1)
    assert drain.hint(otherwise=lambda: done.append(1))
    assert (woken, done) == ([1], [])


def test_without_threads_it_is_done_here_where_that_is_given(without_redis):
    done = []
    assert drain.hint(otherwise=lambda: done.append(1))
    assert done == [1]
    assert not drain.hint()


def test_a_broker_that_hangs_costs_one_caller_less_than_a_second_and_the_next_nothing(deaf, caplog):
    began = time.monotonic()
    assert not drain.hint(otherwise=lambda: pytest.fail("a request must not do it itself"))
    assert time.monotonic() - began < 1
    began = time.monotonic()
    assert not drain.hint()
    assert time.monotonic() - began < 0.05
    assert caplog.text.count("the broker does not answer") == 1


def test_a_broker_that_is_gone_is_no_error(settings):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    settings.REDIS_URL = settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{port}/0"
    hints._forget_connection()
    began = time.monotonic()
    assert not drain.hint()
    assert time.monotonic() - began < 1
    hints._forget_connection()


def test_the_breaker_closes_again_after_its_pause():
    now = [0.0]
    breaker = hints.Breaker(pause=5, clock=lambda: now[0])
    assert not breaker.is_open
    assert breaker.trip()
    assert not breaker.trip()
    assert breaker.is_open
    now[0] = 5.0
    assert not breaker.is_open
    assert breaker.trip()
