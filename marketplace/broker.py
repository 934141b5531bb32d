"""Redis as the workers' broker, without the leak that makes a worker deaf.

kombu forgets a message it was handed only after Redis has taken the acknowledgement. Where Redis was away at that
moment, the error is only logged, redis-py connects again by itself, and the message keeps its place in the prefetch
window for ever: as many of them as the worker has children, and it lives and takes nothing more.
"""

from __future__ import annotations

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    """Gives the place back also where Redis did not hear of it.

    The message itself stays among the unacknowledged and comes again after `visibility_timeout`: every task of ours
    may run twice.
    """

    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue=requeue)
        except Exception:
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    """Named by CELERY_BROKER_TRANSPORT."""

    Channel = Channel
