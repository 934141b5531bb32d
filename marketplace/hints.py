"""A task that may be asked for at once: "the row is there, somebody please look now".

    @shared_task
    def drain() -> None: ...                       # search/tasks.py

    transaction.on_commit(drain.hint, robust=True)

A hint is never more than that. The row it stands for is the truth, and the sweeps of `operations.duties` find it also
where the hint was lost. So a hint may fail in silence, but it may never hold up or break the request that gives it.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import celery
import kombu
from django.conf import settings
from kombu.transport import redis as kombu_redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

logger = logging.getLogger(__name__)

# Seconds that a broker may take to answer a request's hint; connecting costs at most two answers.
ANSWER_SECONDS = 0.4
# After a failure nobody of this process asks the broker for so many seconds.
PAUSE_SECONDS = 5.0
# A hint that nobody has taken up by then is void: a sweep has done it.
HINT_LIFE = 60

# Task name → how to wake the thread of this process that does it (operations.housekeeping).
wakers: dict[str, Callable[[], None]] = {}


class _Channel(kombu_redis.Channel):
    """Without redis-py's own retries: three of them, with pauses, made one second into fourteen on a hung server.

    One reconnection stays, at once: the connection that a restarted server has closed is not a failure.
    """

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        found = super()._connparams(asynchronous=asynchronous)
        return {**found, "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))}


class BoundedTransport(kombu_redis.Transport):
    """Redis as a broker for those who only send and must not wait."""

    Channel = _Channel


class Breaker:
    """Open for a while after a failure, so that a dead server costs one visitor a wait and not each."""

    def __init__(self, pause: float = PAUSE_SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self.pause = pause
        self._clock = clock
        self._until = float("-inf")

    @property
    def is_open(self) -> bool:
        return self._clock() < self._until

    def trip(self) -> bool:
        """Remember a failure; True where it is the first of this outage, for the log."""
        first = not self.is_open
        self._until = self._clock() + self.pause
        return first


breaker = Breaker()
_mine = threading.local()


def _connection() -> kombu.Connection:
    """This thread's own connection to the broker; a forked process makes new ones."""
    if getattr(_mine, "process", None) != os.getpid():
        options = {
            **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
            "socket_timeout": ANSWER_SECONDS,
            "socket_connect_timeout": ANSWER_SECONDS,
            # kombu's own tries to connect; they come on top of those of redis-py.
            "max_retries": 0,
        }
        _mine.connection = kombu.Connection(
            settings.CELERY_BROKER_URL, transport=BoundedTransport, transport_options=options
        )
        _mine.process = os.getpid()
    return _mine.connection


def _forget_connection() -> None:
    connection, _mine.process = getattr(_mine, "connection", None), None
    if connection is not None:
        connection.collect(socket_timeout=ANSWER_SECONDS)


class Task(celery.Task):
    """The base of all our tasks (`task_cls` of the app)."""

    abstract = True

    def hint(self, otherwise: Callable[[], object] | None = None) -> bool:
        """Ask that this is done now; True where somebody was told. Never raises, takes less than a second.

        With REDIS_URL a worker is told, else the thread of this process that does it. In a process without such
        threads (a command, a test) `otherwise` is done here and now, where it is given.
        """
        # Eager (tests on real servers) means here and now: what a command would do.
        if settings.REDIS_URL and not self.app.conf.task_always_eager:
            return self._send()
        if wake := wakers.get(self.name):
            wake()
            return True
        if otherwise:
            otherwise()
        return bool(otherwise)

    def _send(self) -> bool:
        if breaker.is_open:
            return False
        try:
            self.apply_async(connection=_connection(), retry=False, expires=HINT_LIFE)
        except Exception as error:
            # Whatever the broker's client throws: the request that asked has done its work already.
            if breaker.trip():
                logger.warning("no hint for %s: the broker does not answer (%s)", self.name, error)
            _forget_connection()
            return False
        return True
