"""``Subscriber``: events in, Celery tasks out, acknowledged only when those are confirmed.

One thread. The loop takes what has come, decides, sends everything that is due on confirming channels, waits once, and
acknowledges what is settled. Whatever breaks, a delivery is either settled or still the broker's.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from random import random
from typing import Any

from typed_pubsub.brokers.connection import FAULTS, describe
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker, masked, unencrypted_hosts
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import ConnectFailed, TooManyFaults, TopologyRefused
from typed_pubsub.events.registry import Registry, default_registry
from typed_pubsub.handoff.desk import Desk, Key
from typed_pubsub.handoff.health import HealthFile, State
from typed_pubsub.handoff.inhand import InHand
from typed_pubsub.handoff.intake import Intake
from typed_pubsub.handoff.pulse import Pulse
from typed_pubsub.handoff.report import Report
from typed_pubsub.handoff.signals import stopping_on_signals
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.settle import backoff
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.hazards import warn_at_start
from typed_pubsub.tasks.outlets import DeadLetterOutlet, task_outlet

log = logging.getLogger("typed_pubsub.subscriber")

_BATCH = 100
_TICK = 1.0
_CONFIRM_TIMEOUT = 10.0
# Of one attempt: nobody can be asked to stop while it is under way.
_CONNECT_TIMEOUT = 5.0


class Subscriber:
    """Consumes the queue of ``config`` and hands the tasks of its mapping to Celery.

    ``start()`` blocks until SIGTERM, SIGINT or ``stop()`` from another thread; then it settles what is in hand for at
    most ``drain_timeout`` seconds and returns. Several processes on one queue share the load.
    """

    def __init__(
        self,
        config: PubSubConfig,
        *,
        registry: Registry | None = None,
        before_batch: Callable[[], None] | None = None,
    ) -> None:
        """Imports the service's events and compiles its mapping; nothing is connected yet.

        Args:
            config: needs ``queue_name``, ``task_mapping`` and ``get_celery_app`` beside what a publisher needs.
            registry: of the models bound to keys; default: the library's default registry.
            before_batch: called before the routes run on what has come (frameworks drop stale connections here).

        Raises:
            MisconfigurationException: a setting is missing or wrong.
            DefinitionError: an event, a route or a row is declared wrongly.
        """
        config.require_subscriber()
        config.load_events()
        self.config = config
        registry = registry if registry is not None else default_registry
        registry.prepare()
        self._table = config.routing_table(registry)
        self._topology = Topology(
            config.exchange, str(config.queue_name), self._table.binding_keys, quorum=config.queue_type == "quorum"
        )
        self._report = Report(
            self._topology.queue,
            config.exchange,
            max_faults=config.max_faults,
            on_dead_letter=self._hook(config.dead_letter_hook()),
        )
        self._health = None if config.health_file is None else HealthFile(config.health_file)
        self._before_batch = before_batch
        self._stop = threading.Event()
        self._drain_until = 0.0
        self._broker = EventBroker(config.broker_url)
        self._intake = Intake(self._broker, self._topology, config.prefetch)
        self._pulse = Pulse((self._intake.beat, self._beat_desk))
        self._in_faults = 0
        self._batch_faults = 0
        self._not_ready_since: float | None = None
        self._resting = False
        self._started = threading.Lock()

    @property
    def outcomes(self) -> dict[str, int]:
        """How many deliveries were scheduled, skipped, dead-lettered, requeued and recognised, and how many faults."""
        return dict(self._report.outcomes)

    def stop(self) -> None:
        """Asks ``start()`` to return, from any thread: within about a second, plus settling what is in hand."""
        if not self._stop.is_set():
            self._drain_until = time.monotonic() + self.config.drain_timeout
            self._stop.set()

    def start(self) -> None:
        """Runs until it is asked to stop.

        Raises:
            MisconfigurationException: ``get_celery_app`` gives no app, or one that runs tasks eagerly.
            DefinitionError: a typed route is for a local task that the app does not have.
            ConnectFailed: no connection to either broker within ``connect_timeout``.
            TopologyRefused: the broker refuses queue, exchange or bindings.
            TooManyFaults: ``max_faults`` in a row.
            RuntimeError: it was started before: each start wants a Subscriber of its own.
        """
        if not self._started.acquire(blocking=False):
            msg = "this subscriber was started before"
            raise RuntimeError(msg)
        for host in unencrypted_hosts(self.config.broker_url):
            log.warning("BROKER_URL reaches %s in plain text: use amqps://", host)
        app = self.config.celery_app()
        builder = TaskBuilder(app)
        builder.require(self._table.routes)
        warn_at_start(app, self._table.routes)
        dead_letters: DeadLetterOutlet[Key] = DeadLetterOutlet(
            self._broker.connect, self._topology.queue, quorum=self._topology.quorum
        )
        self._desk = Desk(builder, task_outlet(app), dead_letters, self._report, self._tick)
        self._in_hand = InHand(self._table, self._desk, self._report, self.config.prefetch)
        with stopping_on_signals(self.stop):
            self._pulse.start()
            try:
                self._first_connections()
                while not self._stop.is_set():
                    self._turn()
                self._drain()
            finally:
                self._close()

    def _first_connections(self) -> None:
        deadline = time.monotonic() + self.config.connect_timeout
        attempt = 0
        faults: tuple[type[BaseException], ...] = (*FAULTS, *self._desk.task_faults)
        while not self._stop.is_set():
            attempt += 1
            left = max(min(deadline - time.monotonic(), _CONNECT_TIMEOUT), 0.1)
            try:
                self._desk.open(left)
                self._intake.open(left)
            except faults as error:
                pause = backoff(attempt, 0.5)
                if time.monotonic() + pause >= deadline:
                    msg = (
                        f"no connection to {masked(self.config.broker_url)} and Celery's broker within "
                        f"{self.config.connect_timeout:g} s: {describe(error)}"
                    )
                    raise ConnectFailed(msg) from error
                self._stop.wait(pause)
            else:
                log.info("consuming queue %r of exchange %r", self._topology.queue, self._topology.exchange)
                return

    def _turn(self) -> None:
        """One turn of the loop: receive, decide, send, acknowledge; after a fault of the event broker, connect anew."""
        try:
            if self._intake.consumer is None:
                self._reconnect()
            else:
                now = time.monotonic()
                self._intake.receive(min(_TICK, self._in_hand.next_due(now + _TICK) - now), _BATCH)
                self._hand_off(self._intake.consumer, _CONFIRM_TIMEOUT)
                self._in_faults = 0
                if self._in_hand.must_rest:
                    self._resting = True
                    self._drop_consumer()
        except (*FAULTS, TopologyRefused) as error:
            self._drop_consumer()
            self._in_faults += 1
            self._report.fault("the event broker", describe(error))
            # A connection that opens and breaks at once must not become a busy loop.
            self._stop.wait(backoff(self._in_faults, random()))  # noqa: S311  # jitter
        self._desk.idle()
        self._write_health()

    def _hand_off(self, consumer: Consumer, timeout: float) -> None:
        until = time.monotonic() + _TICK
        if consumer.deliveries and self._is_ready():
            with self._pulse:
                for delivery in consumer.take(_BATCH):
                    self._in_hand.take(delivery)
                    # Handlers may be slow; the tasks of the first must not wait for the last.
                    if time.monotonic() > until:
                        break
        self._in_hand.send(timeout)
        self._in_hand.acknowledge(consumer)

    def _is_ready(self) -> bool:
        """Whether ``before_batch`` went well; if not, the deliveries wait, whatever it raised."""
        if self._before_batch is None:
            return True
        try:
            with self._pulse:
                self._before_batch()
        except Exception as error:  # noqa: BLE001  # the framework's code
            self._batch_faults += 1
            if self._not_ready_since is None:
                self._not_ready_since = time.monotonic()
            self._report.fault("before_batch", describe_failure(error)[0])
            time.sleep(min(backoff(self._batch_faults, 0.5), _TICK))
            return False
        self._batch_faults, self._not_ready_since = 0, None
        return True

    def _reconnect(self) -> None:
        """Consumes again: at once, or where what was held too long went back, when Celery's broker is there again."""
        if self._resting:
            try:
                self._desk.open(_CONNECT_TIMEOUT)
            except self._desk.task_faults as error:
                self._in_faults += 1
                self._report.fault("Celery's broker", describe(error))
                self._stop.wait(backoff(self._in_faults, random()))  # noqa: S311  # jitter
                return
            self._resting = False
        self._intake.open(_CONNECT_TIMEOUT)

    def _drop_consumer(self) -> None:
        """Closes the consuming connection: whatever is in hand and not acknowledged goes back to the queue."""
        self._in_hand.forget(self._intake.drop())

    def _drain(self) -> None:
        """Stops consuming and settles what is in hand, for at most ``drain_timeout``."""
        deadline, consumer = self._drain_until, self._intake.consumer
        if consumer is None:
            return
        log.info("stopping: %d deliveries in hand", len(consumer.deliveries) + len(self._in_hand))
        try:
            consumer.link.limit(max(deadline - time.monotonic(), 0.1))
            consumer.cancel()
            while (consumer.deliveries or self._in_hand) and time.monotonic() < deadline:
                self._hand_off(consumer, max(deadline - time.monotonic(), 0.1))
                if not consumer.deliveries and self._in_hand:
                    consumer.receive(min(self._in_hand.next_due(deadline), deadline) - time.monotonic())
        except (*FAULTS, TooManyFaults) as error:
            log.warning("the event broker, while draining: %s", describe(error))

    def _close(self) -> None:
        try:
            self._drop_consumer()
            self._desk.close(1.0)
        finally:
            self._pulse.stop()

    def _tick(self) -> None:
        """While an outlet's broker is waited for, the event broker must not give this consumer up."""
        if self._stop.is_set() and time.monotonic() > self._drain_until:
            msg = "no time is left for draining"
            raise TimeoutError(msg)
        self._intake.beat()
        self._desk.beat()
        self._write_health()

    def _beat_desk(self) -> None:
        self._desk.beat()

    def _hook(self, hook: Callable[[Any], None] | None) -> Callable[[Any], None] | None:
        """The user's hook, which may take its time."""

        def call(told: Any) -> None:
            with self._pulse:
                if hook is not None:
                    hook(told)

        return None if hook is None else call

    def _write_health(self) -> None:
        if self._health is None or not self._health.is_due:
            return
        confirmed, outcomes, now = self._desk.confirmed, self._report.outcomes, time.monotonic()
        not_taken = 0 if self._intake.consumer is None else len(self._intake.consumer.deliveries)
        kept_back = 0.0 if self._not_ready_since is None else now - self._not_ready_since
        state = State(
            time=time.time(),
            pid=os.getpid(),
            queue=self._topology.queue,
            consuming=self._intake.consumer is not None,
            in_flight=len(self._in_hand) + not_taken,
            waiting=max(self._in_hand.waiting(), kept_back),
            last_round_trip=self._intake.silence,
            last_confirm=None if confirmed is None else now - confirmed,
            outcomes=outcomes,
            dead_letters=outcomes["dead-lettered"],
        )
        try:
            self._health.write(state)
        except OSError as error:
            self._report.unwritable(self._health.path, error)
