"""The consuming side: one consumer that is looked after, and opened anew after a fault."""

import contextlib
import logging
import time
from collections.abc import Sequence

from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.errors import TopologyRefused
from typed_pubsub.events.delivery import Delivery

log = logging.getLogger("typed_pubsub.subscriber")

#: Seconds without a delivery after which the broker is asked whether it is still there.
PROBE_AFTER = 2.0
#: Seconds without a delivery after which exchange, queue and bindings are made sure of again: somebody may have deleted
#: the exchange, of which no consumer is told.
ENSURE_AFTER = 60.0
#: Seconds between two questions to a busy broker about how many messages wait.
ASK_EVERY = 55.0


class Intake:
    """The consumer of a queue, if there is one just now.

    A broker that has died without a word, and a queue or a binding that is gone, are noticed while nothing comes: an
    idle subscriber must not be a deaf one.
    """

    def __init__(self, broker: EventBroker, topology: Topology, prefetch: int) -> None:
        """Nothing is connected yet."""
        self._broker = broker
        self._topology = topology
        self._prefetch = prefetch
        self.consumer: Consumer | None = None
        self._heard: float | None = None
        self._looked = 0.0
        self._ensured = 0.0
        self._came = 0.0
        self._asked = -ASK_EVERY

    @property
    def silence(self) -> float | None:
        """Seconds since the broker last sent a delivery or an answer, until somebody last looked; None: never.

        A loop that is busy elsewhere has not heard the broker, which is no fault of the broker's.
        """
        return None if self._heard is None else max(self._looked - self._heard, 0.0)

    def open(self, timeout: float) -> None:
        """Connects, makes sure of the topology, and consumes.

        Raises:
            OSError, AMQPError: no connection within ``timeout``.
            TopologyRefused: see Topology.
        """
        self._looked = time.monotonic()
        link = self._broker.connect(timeout)
        try:
            self.consumer = Consumer(link, self._topology, self._prefetch)
        except BaseException:
            link.close()
            raise
        self._heard = self._looked = self._ensured = self._came = time.monotonic()

    def receive(self, seconds: float, most: int) -> None:
        """Waits for deliveries, at most ``seconds``, then takes what else is there already, until it has ``most``.

        Raises:
            OSError, AMQPError: the connection broke, the broker does not answer, or the queue is gone.
        """
        if (consumer := self.consumer) is None:
            return
        before = len(consumer.deliveries)
        if not before:
            consumer.receive(seconds)
        # At least one look, however many there are: what was not read meanwhile must not pass for the broker's silence.
        while consumer.receive(0) and len(consumer.deliveries) < most:
            pass
        consumer.link.heartbeat()
        now = self._looked = time.monotonic()
        if len(consumer.deliveries) > before:
            self._heard = self._came = now
        elif now - (self._heard or now) > PROBE_AFTER:
            self._probe(consumer, now)

    @property
    def ready(self) -> int | None:
        """Messages that waited in the queue when the broker last told; None: it has not, or there is no consumer."""
        return None if self.consumer is None else self.consumer.ready

    def ask(self) -> None:
        """Asks how many messages wait, unless that was asked within the last minute; waits for no answer."""
        if self.consumer is not None and (now := time.monotonic()) - self._asked > ASK_EVERY:
            self._asked = now
            # A fault is met at the next use.
            with contextlib.suppress(*FAULTS):
                self.consumer.ask()

    def beat(self) -> None:
        """A sign of life to the broker while nobody reads; a fault is met at the next use."""
        if self.consumer is not None:
            with contextlib.suppress(*FAULTS):
                self.consumer.link.beat()

    def drop(self) -> Sequence[Delivery]:
        """Closes the connection: what is not acknowledged goes back to the queue. Gives what nobody has taken."""
        if self.consumer is None:
            return ()
        consumer, self.consumer = self.consumer, None
        consumer.close()
        return consumer.deliveries

    def _probe(self, consumer: Consumer, now: float) -> None:
        if now - max(self._ensured, self._came) > ENSURE_AFTER:
            self._ensured = now
            try:
                self._topology.ensure(consumer.link)
            except TopologyRefused as error:
                # It consumes all the same: what is missing is somebody else's to make, and is told.
                log.warning("%s", error)
        consumer.probe()
        self._heard = self._looked = self._asked = time.monotonic()
