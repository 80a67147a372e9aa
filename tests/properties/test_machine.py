"""The pure halves against a model of both brokers: whatever fails, no event is lost and none ends half done.

The machine plays publisher, subscriber process and brokers. ``decide`` and ``settle`` are the library's; what a shell
does between them (send, ack, requeue, forget all of it in a crash) is a few lines here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, assert_never

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from typed_pubsub.events import Event, Registry
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.keyed import write_event
from typed_pubsub.events.message import Context, Message, compose
from typed_pubsub.events.registry import meta_of
from typed_pubsub.routing import (
    Ack,
    DeadLetter,
    Decision,
    HandBack,
    Policy,
    RetryAfter,
    RoutingTable,
    Schedule,
    Skip,
    TaskCall,
    TaskMapping,
    call,
    remote_task,
    settle,
)
from typed_pubsub.routing.settle import HAND_BACK_AFTER, MAX_REFUSALS, Confirmed, Refused, Sent, Unanswered

REGISTRY = Registry()
NOW = datetime(2026, 8, 1, tzinfo=UTC)
Outcome = Literal["scheduled", "skipped", "dead-lettered"]


class Paid(Event, routing_key="orders.paid", registry=REGISTRY):
    number: int
    parts: int


@remote_task("shop.tasks.pack")
def pack(number: int, part: int) -> None: ...


@remote_task("shop.tasks.bill")
def bill(number: int) -> None: ...


def mapping() -> TaskMapping:
    """As many tasks as the event has parts; number 3 has none; number 4 breaks the second route."""
    made = TaskMapping()
    made.on(Paid, when=lambda e: e.number != 3, name="parts")(
        lambda event: [call(pack, event.number, part) for part in range(event.parts)]
    )
    made.on(Paid, when=lambda e: e.number != 3, name="bill")(lambda event: call(bill, 60 // (event.number - 4)))
    row: dict[str, Any] = {
        "routing_key": "orders.#",
        "task": "old.tasks.index",
        "should_schedule": lambda key, body: body.get("number") == 5,
        "get_args": lambda key, body: ([body["parts"]], {}),
    }
    return made.add_legacy([row])


@dataclass
class Broker:
    """The event queue, the dead-letter queue and Celery's queue: what is confirmed is there and stays."""

    queue: list[tuple[int, Message, bool]] = field(default_factory=list[tuple[int, Message, bool]])
    unacked: dict[int, tuple[int, Message]] = field(default_factory=dict[int, tuple[int, Message]])
    dead: list[int] = field(default_factory=list[int])
    tasks: list[str] = field(default_factory=list[str])
    last_tag: int = 0

    def get(self) -> tuple[int, int, Message, bool]:
        serial, message, redelivered = self.queue.pop(0)
        self.last_tag += 1
        self.unacked[self.last_tag] = serial, message
        return self.last_tag, serial, message, redelivered

    def requeue(self, tag: int) -> None:
        self.queue.insert(0, (*self.unacked.pop(tag), True))

    def lose_consumer(self) -> None:
        """What a broker does when the consumer's connection is gone."""
        for tag in sorted(self.unacked, reverse=True):
            self.requeue(tag)


@dataclass
class InHand:
    """A delivery of the subscriber process; ``pending`` are the messages that no broker has confirmed."""

    serial: int
    decision: Decision
    pending: list[str]
    attempts: int = 0
    refusals: int = 0
    held: float = 0.0


class PureHalves(RuleBasedStateMachine):
    """See the module."""

    @initialize()
    def begin(self) -> None:
        self.broker = Broker()
        self.table = RoutingTable(mapping(), REGISTRY, Policy("q"))
        self.process: dict[int, InHand] = {}
        self.published = 0
        self.ended: dict[int, Outcome] = {}
        self.first_ids: dict[int, list[str]] = {}
        self.exhausted: set[int] = set()

    def put(self, message: Message) -> None:
        self.broker.queue.append((self.published, message, False))
        self.published += 1

    @rule(numbers=st.lists(st.integers(1, 5), min_size=1, max_size=3), parts=st.integers(0, 3))
    def publish(self, numbers: list[int], parts: int) -> None:
        for number in numbers:
            key, body = write_event(Paid(number=number, parts=parts))
            self.put(compose(meta_of(Paid), key, body, f"e{self.published}", Context("s", NOW)))

    @rule(
        key=st.sampled_from(["orders.paid", "orders.other", "unknown"]), body=st.binary(max_size=4), ours=st.booleans()
    )
    def publish_junk(self, key: str, body: bytes, ours: bool) -> None:
        headers = {"ce-specversion": "1.0", "ce-schemaversion": "9"} if ours else {}
        self.put(Message("", key, body, headers, {"message_id": f"m{self.published}"}))

    @rule(number=st.integers(4, 5))
    def publish_the_old_way(self, number: int) -> None:
        body = msgspec.json.encode({"number": number, "parts": 1})
        self.put(Message("", "orders.other", body, {}, {"message_id": f"m{self.published}"}))

    @precondition(lambda self: self.broker.queue)
    @rule(count=st.integers(1, 3))
    def deliver(self, count: int) -> None:
        for _ in range(min(count, len(self.broker.queue))):
            tag, serial, message, redelivered = self.broker.get()
            said: tuple[Any, ...] = (message.headers, message.properties, redelivered, tag)
            delivery = Delivery(message.routing_key, message.body, f"random{tag}", "events", *said)
            decision = self.table.decide(delivery)
            ids = task_ids(decision)
            assert ids == self.first_ids.setdefault(serial, ids), "a redelivery has other task ids"
            pending = {Schedule: ids, DeadLetter: ["dead letter"], Skip: []}[type(decision)]
            self.process[tag] = InHand(serial, decision, pending)

    @precondition(lambda self: self.process)
    @rule(data=st.data())
    def all_is_confirmed(self, data: st.DataObject) -> None:
        tag, work = self.some_work(data)
        self.confirm(work, len(work.pending))
        self.settle(tag, work, Confirmed())

    @precondition(lambda self: self.process)
    @rule(data=st.data(), counted=st.integers(0, 2 * MAX_REFUSALS))
    def some_is_confirmed_and_some_refused(self, data: st.DataObject, counted: int) -> None:
        tag, work = self.some_work(data)
        self.confirm(work, data.draw(st.integers(0, len(work.pending))))
        work.refusals = max(work.refusals, counted)
        self.settle(tag, work, Refused("no queue", work.refusals) if work.pending else Confirmed())

    @precondition(lambda self: self.process)
    @rule(data=st.data(), late=st.booleans())
    def some_is_confirmed_and_some_unanswered(self, data: st.DataObject, late: bool) -> None:
        tag, work = self.some_work(data)
        self.confirm(work, data.draw(st.integers(0, len(work.pending))))
        work.held = HAND_BACK_AFTER if late else work.held
        self.settle(tag, work, Unanswered("away") if work.pending else Confirmed())

    def some_work(self, data: st.DataObject) -> tuple[int, InHand]:
        tag = data.draw(st.sampled_from(sorted(self.process)))
        return tag, self.process[tag]

    def confirm(self, work: InHand, count: int) -> None:
        taken, work.pending = work.pending[:count], work.pending[count:]
        if isinstance(work.decision, Schedule):
            self.broker.tasks += taken
        elif isinstance(work.decision, DeadLetter) and taken:
            self.broker.dead.append(work.serial)

    def settle(self, tag: int, work: InHand, sent: Sent) -> None:
        work.attempts += 1
        settlement = settle(work.decision, sent, attempt=work.attempts, held=work.held, jitter=0.5)
        match settlement:
            case Ack():
                self.acknowledge(tag, work)
            case DeadLetter():
                assert settlement.reason == "retries_exhausted"
                assert isinstance(work.decision, Schedule)
                assert work.refusals >= MAX_REFUSALS
                self.exhausted.add(work.serial)
                work.decision, work.pending = settlement, ["dead letter"]
            case RetryAfter(seconds):
                assert 0 < seconds <= 5
                assert work.pending
            case HandBack():
                assert work.held >= HAND_BACK_AFTER
                self.broker.requeue(tag)
                del self.process[tag]
            case _:
                assert_never(settlement)

    def acknowledge(self, tag: int, work: InHand) -> None:
        match work.decision:
            case Schedule(calls):
                assert set(task_ids(work.decision)) <= set(self.broker.tasks), "acked before its tasks were confirmed"
                assert calls
                outcome: Outcome = "scheduled"
            case Skip():
                outcome = "skipped"
            case DeadLetter():
                assert work.serial in self.broker.dead, "acked before its dead letter was confirmed"
                outcome = "dead-lettered"
            case _:
                assert_never(work.decision)
        del self.process[tag]
        del self.broker.unacked[tag]
        assert work.serial not in self.ended, "ended twice"
        self.ended[work.serial] = outcome

    @rule()
    def crash(self) -> None:
        self.process.clear()
        self.broker.lose_consumer()

    @invariant()
    def every_event_is_in_exactly_one_place(self) -> None:
        waiting = [serial for serial, _, _ in self.broker.queue]
        unacked = [serial for serial, _ in self.broker.unacked.values()]
        assert sorted([*waiting, *unacked, *self.ended]) == list(range(self.published))

    @invariant()
    def the_process_holds_what_the_broker_thinks_it_holds(self) -> None:
        assert self.process.keys() == self.broker.unacked.keys()

    @invariant()
    def a_task_comes_only_from_an_event_that_was_scheduled_whole(self) -> None:
        allowed = {one for serial, ids in self.first_ids.items() for one in ids if self.ended.get(serial) != "skipped"}
        assert set(self.broker.tasks) <= allowed
        for serial in set(self.broker.dead) - self.exhausted:
            assert not self.first_ids[serial], "a dead letter whose tasks were sent"

    def teardown(self) -> None:
        """However it stands: when the brokers are back, everything ends."""
        if not hasattr(self, "broker"):  # pragma: no cover  # Hypothesis gave up before the beginning
            return
        self.crash()
        self.deliver(len(self.broker.queue))
        for tag, work in list(self.process.items()):
            self.confirm(work, len(work.pending))
            self.settle(tag, work, Confirmed())
        assert sorted(self.ended) == list(range(self.published))
        self.every_event_is_in_exactly_one_place()


def task_ids(decision: Decision) -> list[str]:
    calls: tuple[TaskCall, ...] = decision.calls if isinstance(decision, Schedule) else ()
    return [made.options["task_id"] for made in calls]


TestPureHalves: Callable[..., Any] = PureHalves.TestCase
TestPureHalves.settings = settings(max_examples=settings().max_examples * 3 // 2, stateful_step_count=40)  # type: ignore[attr-defined]
