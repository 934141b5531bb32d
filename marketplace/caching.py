"""The cache that several processes share, and what happens while its server is away.

It holds counts that limit visitors and nothing that is not elsewhere too. So an unreachable server is no reason to
refuse a page: each process counts by itself until the server answers again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.cache.backends.locmem import LocMemCache
from django.core.cache.backends.redis import RedisCache
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry

from .hints import Breaker

logger = logging.getLogger(__name__)

# All that BaseCache builds the rest from, and what RedisCache does in one round trip.
FORGIVING = (
    "add", "get", "set", "touch", "delete", "get_many", "has_key", "incr", "set_many", "delete_many", "clear",
)  # fmt: skip


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache; while the server does not answer, the process's own memory takes its place.

    A server that hangs costs one visitor `socket_timeout`, then nobody asks it for five seconds.
    """

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        # redis-py's own three retries would make of one time-out many; a connection that was closed is opened again.
        self._options["retry"] = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
        self.breaker = Breaker()
        self.own = LocMemCache(f"instead-of-{server}", {**params, "OPTIONS": {}})


def _forgiving(name: str) -> Callable[..., Any]:
    shared = getattr(RedisCache, name)

    @wraps(shared)
    def ask(self: ForgivingRedisCache, *args: Any, **kwargs: Any) -> Any:
        if not self.breaker.is_open:
            try:
                return shared(self, *args, **kwargs)
            except RedisError as error:
                if self.breaker.trip():
                    logger.warning("the shared cache does not answer, each process counts by itself: %s", error)
        return getattr(self.own, name)(*args, **kwargs)

    return ask


for _name in FORGIVING:
    setattr(ForgivingRedisCache, _name, _forgiving(_name))
