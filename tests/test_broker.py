"""A worker keeps taking tasks after its broker was away at the wrong moment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import kombu
import pytest

from marketplace import broker
from tests.servers import Redis

pytestmark = pytest.mark.full

PLACES = 2


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Redis]:
    with Redis(tmp_path) as opened:
        yield opened


def _taken(connection: kombu.Connection) -> list[kombu.Message]:
    """So many messages as the prefetch window holds, handed out and not acknowledged."""
    queue = kombu.Queue("tasks", no_declare=True)
    channel = connection.channel()
    channel.basic_qos(0, PLACES, False)
    producer = connection.Producer(channel)
    for number in range(PLACES):
        producer.publish({"n": number}, routing_key="tasks", exchange="", serializer="json", declare=[queue])
    bound = queue.bind(channel)
    messages = [bound.get(no_ack=False) for _ in range(PLACES)]
    assert all(messages)
    assert not channel.qos.can_consume()
    return messages


@pytest.mark.parametrize("answer", ["ack", "requeue"])
@pytest.mark.parametrize("transport", [broker.Transport, "redis"])
def test_a_place_is_free_again_after_an_answer_that_redis_never_heard(server, transport, answer):
    with kombu.Connection(server.url, transport=transport) as connection:
        messages = _taken(connection)
        channel = messages[0].channel
        server.kill()
        for message in messages:
            with contextlib.suppress(*connection.connection_errors, *connection.channel_errors):
                getattr(message, answer)()
        # The stock transport is the negative control: its worker would be deaf now.
        assert channel.qos.can_consume() is (transport is broker.Transport)
        server.start()
