"""Copies of what an exchange gets, in a queue of one's own: nobody's deliveries are touched."""

import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from amqp.exceptions import ChannelError, NotFound

from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.consumer import delivery_of
from typed_pubsub.errors import TopologyRefused
from typed_pubsub.events.delivery import Delivery

_PREFETCH = 500
# Seconds in which more is gathered after the first: a look costs whoever else uses broker and machine less so.
_GATHER = 0.05


class Tap:
    """An exclusive queue, bound to an exchange, that ends with its connection."""

    def __init__(self, link: Link, exchange: str, binding_keys: Iterable[str], *, most: int | None = None) -> None:
        """Copies begin to come with this.

        Args:
            link: is this tap's alone.
            exchange: must be there.
            binding_keys: of the events wanted.
            most: copies that wait at the broker: beyond that the oldest are dropped; None: without end. The embedded
                broker drops none.

        Raises:
            TopologyRefused: the exchange is not there, or the broker does not allow it.
        """
        self._link = link
        self._deliveries: deque[Delivery] = deque()
        self._acked = 0
        self._channel = link.channel()
        arguments = {} if most is None or link.limits_deliveries else {"x-max-length": most}
        try:
            self._channel.exchange_declare(exchange, "topic", passive=True)
            queue = self._channel.queue_declare("", exclusive=True, durable=False, arguments=arguments).queue
            for key in binding_keys:
                self._channel.queue_bind(queue, exchange, routing_key=key)
        except NotFound as error:
            msg = f"there is no exchange {exchange!r}: no publisher or subscriber has declared it"
            raise TopologyRefused(msg) from error
        except ChannelError as error:
            msg = f"the broker refused a queue of our own on exchange {exchange!r}: {error.reply_text or error}"
            raise TopologyRefused(msg) from error
        self._channel.basic_qos(0, _PREFETCH, False)  # noqa: FBT003  # a_global
        self._channel.basic_consume(queue, callback=self._on_message)

    def receive(self, timeout: float) -> list[Delivery]:
        """What has come, waiting for the first at most ``timeout`` seconds.

        Raises:
            OSError, AMQPError: the connection broke.
        """
        if self._link.drain(timeout):
            time.sleep(_GATHER)
            while len(self._deliveries) < _PREFETCH and self._link.drain(0):
                pass
        self._link.heartbeat()
        taken, self._deliveries = [*self._deliveries], deque()
        return taken

    def done(self, last: Delivery) -> None:
        """All up to this one are printed or written: the broker may send more."""
        # Seldom: nothing depends on it but how much the broker sends ahead.
        if last.tag - self._acked >= _PREFETCH // 2:
            self._channel.basic_ack(last.tag, multiple=True)
            self._acked = last.tag

    def _on_message(self, message: Any) -> None:
        self._deliveries.append(delivery_of(message))
