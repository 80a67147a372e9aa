"""``Subscriber``: events in, Celery tasks out, acknowledged only when those are confirmed.

This is its outside: settings, starting and stopping, health. The loop is in handoff/loop.py.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Any

from typed_pubsub.brokers.advice import CELERY_SETTING, advised
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.event_broker import EventBroker, masked, unencrypted_hosts
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import ConnectFailed
from typed_pubsub.events.registry import Registry, default_registry
from typed_pubsub.handoff.desk import Desk
from typed_pubsub.handoff.health import HealthFile, State
from typed_pubsub.handoff.inhand import InHand
from typed_pubsub.handoff.intake import Intake
from typed_pubsub.handoff.lane import CONNECT_TIMEOUT, Key
from typed_pubsub.handoff.loop import Loop
from typed_pubsub.handoff.pulse import Pulse
from typed_pubsub.handoff.rates import Rates
from typed_pubsub.handoff.report import Report
from typed_pubsub.handoff.signals import stopping_on_signals
from typed_pubsub.routing.routes import Route
from typed_pubsub.routing.settle import backoff
from typed_pubsub.tasks.builder import TaskBuilder
from typed_pubsub.tasks.hazards import warn_at_start
from typed_pubsub.tasks.outlets import DeadLetterOutlet
from typed_pubsub.tasks.task_outlet import task_outlet

log = logging.getLogger("typed_pubsub.subscriber")


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
        on_start: Callable[[Any], None] | None = None,
        stats: float = 0.0,
    ) -> None:
        """Imports the service's events and compiles its mapping; nothing is connected yet.

        Args:
            config: needs ``queue_name``, ``task_mapping`` and ``get_celery_app`` beside what a publisher needs.
            registry: of the models bound to keys; default: the library's default registry.
            before_batch: called before the routes run on what has come (frameworks drop stale connections here).
            on_start: called with the Celery app at the start, before anything is connected.
            stats: seconds between two log lines that tell how much was handed off; 0: there are none.

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
        self._on_start = on_start
        self._stats = stats
        self._stop = threading.Event()
        self._drain_until = 0.0
        self._broker = EventBroker(config.broker_url)
        self._intake = Intake(self._broker, self._topology, config.prefetch)
        self._pulse = Pulse((self._intake.beat, self._beat_desk))
        self._started = threading.Lock()

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes of its mapping."""
        return self._table.routes

    def __str__(self) -> str:
        """What it has in hand just now, and how its connections are: a sentence for people."""
        return f"queue {self._topology.queue!r}: {getattr(self, '_loop', 'not started yet')}"

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
        if self._on_start is not None:
            self._on_start(app)
        warn_at_start(app, self._table.routes)
        dead_letters: DeadLetterOutlet[Key] = DeadLetterOutlet(
            self._broker.connect, self._topology.queue, quorum=self._topology.quorum
        )
        self._desk = Desk(builder, task_outlet(app), dead_letters, self._report, self._tick)
        in_hand = InHand(self._table, self._desk, self._report, self.config.prefetch)
        self._loop = Loop(self._intake, in_hand, self._desk, self._report, self._pulse, self._stop, self._before_batch)
        self._rates = Rates(self._stats, self._report, self._intake, in_hand) if self._stats else None
        with stopping_on_signals(self.stop):
            self._pulse.start()
            try:
                self._first_connections()
                while not self._stop.is_set():
                    self._loop.turn()
                    self._look_after()
                self._loop.drain(self._drain_until)
            finally:
                self._close()

    def _first_connections(self) -> None:
        deadline = time.monotonic() + self.config.connect_timeout
        attempt, known = 0, ""
        while not self._stop.is_set():
            attempt += 1
            where, told, error = self._connect(max(min(deadline - time.monotonic(), CONNECT_TIMEOUT), 0.1))
            if error is None:
                log.info("consuming queue %r of exchange %r", self._topology.queue, self._topology.exchange)
                return
            pause = backoff(attempt, 0.5)
            if time.monotonic() + pause >= deadline:
                msg = f"no connection to {where} within {self.config.connect_timeout:g} s: {told}"
                raise ConnectFailed(msg) from error
            # Some faults no waiting mends: they are told at once, and once.
            if told != known:
                log.warning("no connection to %s yet: %s", where, told)
                known = told
            self._stop.wait(pause)

    def _connect(self, seconds: float) -> tuple[str, str, BaseException | None]:
        """Connects to both brokers, with ``seconds`` for each; gives which one failed, how in words, and the fault."""
        try:
            self._desk.open(seconds)
        except self._desk.task_faults as error:
            return "Celery's broker", advised(error, CELERY_SETTING), error
        try:
            self._intake.open(seconds)
        except FAULTS as error:
            return masked(self.config.broker_url), advised(error), error
        return "", "", None

    def _close(self) -> None:
        try:
            self._loop.drop_consumer(0.0)
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
        self._look_after()

    def _beat_desk(self) -> None:
        self._desk.beat()

    def _hook(self, hook: Callable[[Any], None] | None) -> Callable[[Any], None] | None:
        """The user's hook, which may take its time."""

        def call(told: Any) -> None:
            with self._pulse:
                if hook is not None:
                    hook(told)

        return None if hook is None else call

    def _look_after(self) -> None:
        self._write_health()
        if self._rates is not None:
            self._rates.tell_if_due()

    def _write_health(self) -> None:
        if self._health is None or not self._health.is_due:
            return
        confirmed, outcomes, now = self._desk.confirmed, self._report.outcomes, time.monotonic()
        state = State(
            time=time.time(),
            pid=os.getpid(),
            queue=self._topology.queue,
            consuming=self._intake.consumer is not None,
            in_flight=self._loop.in_flight,
            waiting=self._loop.waiting(),
            last_round_trip=self._intake.silence,
            last_confirm=None if confirmed is None else now - confirmed,
            outcomes=outcomes,
            dead_letters=outcomes["dead-lettered"],
        )
        try:
            self._health.write(state)
        except OSError as error:
            self._report.unwritable(self._health.path, error)
