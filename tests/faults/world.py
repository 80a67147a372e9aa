"""One run: the brokers and the proxies before them, a subscriber in a process of its own, and a publisher."""

import contextlib
import json
import signal
import time
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from amqp.exceptions import PreconditionFailed

from tests.faults.load import Load
from tests.faults.oracle import Verdict, judge, missing
from tests.faults.service import EXCHANGE, KEY, QUEUE, TASKS
from tests.faults.sink import AmqpSink, RedisSink, Sink, Task, count, settled
from tests.support.amqp import linked, take_all
from tests.support.children import ROOT, Child, environment
from tests.support.proxy import Proxy
from tests.support.rabbit import eventually
from typed_pubsub.brokers.topology import Topology
from typed_pubsub.testing.nodes import RabbitMQNode, RedisNode

DEAD = f"{QUEUE}.dlq"
OURS = ("-m", "typed_pubsub.cli", "subscribe", "-A", "tests.faults.service:config")

# No promise is about speed: only a run that makes no headway at all for so long has failed.
PATIENCE = 90.0
_QUIET, _WHILE = 8.0, 5.0


class World(Load):
    """Brokers are real and private; ``events`` and ``celery`` are URLs past the proxies.

    A fault is injected by a row (rows.py), between calls of ``reach``, while events are published and handed off.
    """

    def __init__(
        self,
        directory: Path,
        events: str,
        celery: str,
        *,
        size: int,
        node: RabbitMQNode | None = None,
        redis: RedisNode | None = None,
        quorum: bool = False,
        program: tuple[str, ...] = OURS,
    ) -> None:
        super().__init__(events, size)
        self.directory = directory
        self.celery = celery
        self.node, self.redis = node, redis
        self.faults = 0
        self.at_once = 200
        self.quorum = quorum
        self.ours = program == OURS
        #: Whether what is missing is waited for: not where it may be lost.
        self.patient = self.ours
        self.subscriber: Child | None = None
        self._program = program
        self._settings: dict[str, str] = {}
        self._health = directory / "health.json"
        self._sink: Sink = RedisSink(celery) if celery.startswith("redis") else AmqpSink(celery)
        self.log = ""
        self._taken: list[Task] = []
        self._dead: list[bytes] = []
        self._stack = contextlib.ExitStack()
        self._begun = time.monotonic()

    def tasks_go_to(self, redis: RedisNode) -> None:
        """Another Redis than the run's own is Celery's broker."""
        self.celery, self._sink = redis.url, RedisSink(redis.url)
        self.outbound = self._proxied(redis.url)

    def __enter__(self) -> Self:
        self.inbound = self._proxied(self.events)
        self.outbound = self._proxied(self.celery)
        with linked(self.events) as link:
            Topology(EXCHANGE, QUEUE, (KEY,), quorum=self.quorum).ensure(link)
        return self

    def __exit__(self, *_: object) -> None:
        if self.subscriber is not None:
            self.subscriber.signal(signal.SIGKILL)
            self.subscriber.wait()
        self._stack.close()

    # -- the subscriber

    def start(self, *options: str, **settings: str) -> Child:
        """A subscriber in a process of its own; ``settings`` are those of service.py, also for those that follow."""
        self._settings |= settings
        self._health.unlink(missing_ok=True)
        own = {
            "FAULTS_EVENTS": _url(self.inbound, self.events),
            "FAULTS_CELERY": _url(self.outbound, self.celery),
            "FAULTS_HEALTH": str(self._health),
            "FAULTS_QUEUE": "quorum" if self.quorum else "classic",
            "TYPED_PUBSUB_LOG_LEVEL": "warning",
        }
        env = environment(**own, **self._settings)
        self.subscriber = Child(*self._program, *options, cwd=ROOT, env=env)
        return self.subscriber

    def stop(self, *, expect: int | None = 0) -> None:
        """SIGTERM once it consumes, and the end of the process."""
        if self.ours:
            eventually(lambda: self.health().get("consuming"), what=f"a subscriber that consumes; {self._said()}")
        code = self._running().terminate()
        self._ended(code, expect)

    def ended(self, *, expect: int) -> None:
        """Waits for the end of a process that was asked to."""
        self._ended(self._running().wait(), expect)

    def kill(self) -> None:
        """SIGKILL."""
        self.faults += 1
        self._running().signal(signal.SIGKILL)
        self._ended(self._running().wait(), -signal.SIGKILL)

    def health(self) -> dict[str, Any]:
        """What the subscriber's health file says; empty if there is none yet."""
        return json.loads(self._health.read_text()) if self._health.exists() else {}

    def says(self, text: str) -> None:
        """Waits until the subscriber that runs has logged this; somebody else's gets a while instead."""
        if self.ours:
            self._running().wait_for(text, timeout=PATIENCE)
        else:
            time.sleep(_WHILE)

    def met_no_fault(self) -> bool:
        """Whether no subscriber that has ended has logged a fault of a broker."""
        return not self.ours or "in a row)" not in self.log

    @contextlib.contextmanager
    def amid_load(self, **settings: str) -> Generator[None]:
        """One fault is the block, with a subscriber that is at work and events that go on coming."""
        self.start(**settings)
        with self.load():
            self.reach(0.2)
            self.faults += 1
            yield

    @staticmethod
    def hold(seconds: float) -> None:
        """A fault lasts so long, and nothing is waited for."""
        time.sleep(seconds)

    # -- looking

    def reach(self, part: float) -> None:
        """Waits until so much of the work is done."""
        self.reach_tasks(int(part * self.size * 1.5))

    def reach_tasks(self, wanted: int) -> None:
        """Waits until so many tasks have come to Celery's side, repeated ones too."""
        come = self._come(wanted)
        assert come or not self.patient, f"{self.tasks_so_far()} of {wanted} tasks, and nothing moves; {self._said()}"

    def reach_all(self) -> None:
        """Waits until each task that is wanted has come: a repeated one does not stand for another."""
        self.reach_tasks(self.wanted)
        self.take_tasks()
        while missing(self.confirmed, self._taken) and self._come(len(self._taken) + 1):
            self.take_tasks()

    def _come(self, wanted: int) -> bool:
        """Whether so many tasks come; not if nothing moves for too long."""
        last, since = -1, time.monotonic()
        while (now := self.tasks_so_far()) < wanted:
            if now != last:
                last, since = now, time.monotonic()
            if time.monotonic() - since > (PATIENCE if self.patient else _QUIET):
                return False
            if self.subscriber is not None and not self.subscriber.alive:
                assert not self.ours, self._said()
                # Somebody else's is started again, as a supervisor would.
                self.start()
            time.sleep(0.02)
        return True

    def tasks_so_far(self) -> int:
        """Tasks that came, repeated ones too."""
        return len(self._taken) + (self._sink.count() or 0)

    def take_tasks(self) -> None:
        """Counts what is on Celery's queue, and takes it out."""
        self._taken += self._sink.take()

    @property
    def dead_letters(self) -> list[bytes]:
        """The dead letters that were counted so far."""
        return self._dead

    def take_dead_letters(self) -> None:
        """Counts the dead letters, and takes them out."""
        # An empty body comes as a text, whatever it was.
        self._dead += [one.body or b"" for one in take_all(self.events, DEAD)]

    def delete_when_empty(self, queue: str, url: str | None = None) -> None:
        """Counts what is on a queue of the run and deletes it, so that nothing goes with it uncounted.

        No task is under way meanwhile: RabbitMQ confirms what it has routed to a queue that is deleted in that instant.
        """
        if self.outbound is None:
            self._delete_when_empty(queue, url)
            return
        self.outbound.hold_up()
        before = None
        while (now := self.tasks_so_far()) != before:
            before = now
            self.hold(0.3)
        self._delete_when_empty(queue, url)
        self.outbound.release()

    def _delete_when_empty(self, queue: str, url: str | None) -> None:
        while True:
            self.take_tasks() if queue == TASKS else self.take_dead_letters()
            try:
                with linked(url or self.events) as link:
                    link.channel().queue_delete(queue, if_empty=True)
            except PreconditionFailed:
                continue
            return

    def finish(self, *, expect: int | None = 0) -> Verdict:
        """Waits until the work is done, ends the subscriber, and judges."""
        if self.ours:
            self.reach_all()
            # RabbitMQ may never confirm what it routed to a queue that was deleted and declared again in that instant:
            # such a dead letter is sent again when the time for its confirm is over.
            eventually(self._all_poison_is_dead, timeout=PATIENCE, what="dead letters")
        else:
            self._settle_down()
            if count(self.events, QUEUE):
                # Alive but deaf: it gets a second chance.
                self.kill()
                self.start()
                self._settle_down()
        eventually(lambda: not self.ours or settled(self.events, QUEUE), timeout=PATIENCE, what="an empty queue")
        seconds = time.monotonic() - self._begun
        self.stop(expect=expect)
        self.take_tasks()
        self.take_dead_letters()
        verdict = judge(
            self.confirmed,
            self._taken,
            poison=self.poisoned,
            dead_letters=self._dead,
            left=count(self.events, QUEUE) or 0,
            faults=self.faults,
            seconds=seconds,
            at_once=self.at_once,
        )
        return replace(verdict, log=self.log)

    def _all_poison_is_dead(self) -> bool:
        self.take_dead_letters()
        return set(self.poisoned) <= set(self._dead)

    def _settle_down(self) -> None:
        """Waits until nothing has moved for a while."""
        seen, since = (0, 0), time.monotonic()
        while time.monotonic() - since < _QUIET:
            now = (count(self.events, QUEUE) or 0, self.tasks_so_far())
            seen, since = (now, time.monotonic()) if now != seen else (seen, since)
            time.sleep(0.1)

    def _proxied(self, url: str) -> Proxy | None:
        return None if url.startswith("sqlite") else self._stack.enter_context(Proxy(url))

    def _running(self) -> Child:
        assert self.subscriber is not None, "no subscriber runs"
        return self.subscriber

    def _ended(self, code: int, expect: int | None) -> None:
        self.log += self._running().output
        said, self.subscriber = self._said(), None
        assert expect is None or not self.ours or code == expect, f"it ended with {code}, not {expect}; {said}"

    def _said(self) -> str:
        return f"the subscriber said:\n{self.subscriber.output[-3000:]}" if self.subscriber is not None else ""


def _url(proxy: Proxy | None, url: str) -> str:
    return url if proxy is None else proxy.url
