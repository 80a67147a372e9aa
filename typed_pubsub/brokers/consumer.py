"""The consuming side of one connection: deliveries in, acknowledgements out."""

import contextlib
import os
import socket
from collections import deque
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from amqp import spec

from typed_pubsub.brokers.connection import FAULTS, Link
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.events.delivery import Delivery


class Consumer:
    """One consumer on one channel. Delivery tags mean nothing beyond it: after a fault it is thrown away with them."""

    def __init__(self, link: Link, topology: Topology, prefetch: int) -> None:
        """Makes sure of the topology and starts consuming.

        Raises:
            TopologyRefused: see Topology.
            OSError, AMQPError: the connection broke.
        """
        self.link = link
        self.deliveries: deque[Delivery] = deque()
        self._queue = topology.queue
        self._probing: Any = None
        #: Messages that waited in the queue when the broker last told; None: it has not.
        self.ready: int | None = None
        topology.ensure(link)
        self._channel = link.channel()
        self._channel.basic_qos(0, prefetch, False)  # noqa: FBT003  # a_global: quorum queues refuse it
        name = f"typed_pubsub-{socket.gethostname()}-{os.getpid()}-{uuid4().hex[:8]}"
        self._tag = self._channel.basic_consume(topology.queue, consumer_tag=name, callback=self._on_message)

    def receive(self, timeout: float) -> bool:
        """Waits for something from the broker; False if nothing came within ``timeout`` seconds."""
        return self.link.drain(timeout)

    def probe(self) -> None:
        """One round trip: the broker is there, and so is the queue.

        Raises:
            OSError, AMQPError: it is not, within the time that the link allows.
        """
        if self._probing is None:
            self._probing = self.link.channel()
        self._told(*self._probing.queue_declare(self._queue, passive=True))

    def ask(self) -> None:
        """Asks how many messages wait; the answer comes among the deliveries, and nobody waits for it.

        Raises:
            OSError, AMQPError: the connection broke.
        """
        if self.link.socket is None:
            self.probe()
            return
        # py-amqp's way to be told of an answer that nobody waits for.
        self._channel._callbacks[spec.Queue.DeclareOk] = self._told  # noqa: SLF001
        self._channel.send_method(
            spec.Queue.Declare, "BsbbbbbF", (0, self._queue, True, False, False, False, False, None)
        )

    def take(self, most: int) -> Iterator[Delivery]:
        """The next deliveries, in the order in which they came; those not asked for stay."""
        for _ in range(min(most, len(self.deliveries))):
            yield self.deliveries.popleft()

    def ack(self, tag: int, *, multiple: bool = False) -> None:
        """Acknowledges one delivery, or with ``multiple`` every one up to it."""
        self._channel.basic_ack(tag, multiple=multiple)

    def cancel(self) -> None:
        """Stops consuming; what has come stays in hand."""
        self._channel.basic_cancel(self._tag)

    def close(self, timeout: float = 1.0) -> None:
        """Closes channel and connection: what is not acknowledged goes back to the queue."""
        # The channel first, which is answered: when it ends with its connection, RabbitMQ may forget the last
        # acknowledgements to a quorum queue.
        with contextlib.suppress(*FAULTS):
            self.link.limit(timeout)
            self._channel.close()
        self.link.close(timeout)

    def _told(self, _queue: str, ready: int, _consumers: int) -> None:
        self.ready = ready

    def _on_message(self, message: Any) -> None:
        self.deliveries.append(delivery_of(message))


def delivery_of(message: Any) -> Delivery:
    """A message of py-amqp's as a delivery."""
    info = message.delivery_info
    properties: dict[str, Any] = message.properties
    headers: dict[str, Any] = properties.pop("application_headers", None) or {}
    return Delivery(
        routing_key=info["routing_key"],
        body=message.body or b"",
        random_id=_random_id,
        exchange=info["exchange"],
        headers=headers,
        properties=properties,
        redelivered=bool(info["redelivered"]),
        tag=info["delivery_tag"],
        wire_error=message.__dict__.get("wire_error"),
        raw_properties=message.__dict__.get("raw_properties", b""),
    )


def _random_id() -> str:
    return str(uuid4())
