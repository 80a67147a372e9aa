"""Routes tried with generated events: what the subscriber would do with each, up to the messages of its tasks.

Needs Hypothesis (``typed-pubsub[cli]``). Conditions and handlers are run; nothing is sent.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.keys import matches
from typed_pubsub.events.message import SCHEMA_VERSION, SPEC_VERSION
from typed_pubsub.events.registry import EventClass, EventMeta, Registry, meta_of
from typed_pubsub.ops.checks.failing import passes, told
from typed_pubsub.ops.checks.places import route_place
from typed_pubsub.ops.checks.routes import models_of
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.routing.decisions import DeadLetter, Schedule
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.routing.routes import Received, Route
from typed_pubsub.routing.rows import RowRoute
from typed_pubsub.routing.table import RoutingTable
from typed_pubsub.schema.bodies import Sent
from typed_pubsub.schema.closed import written
from typed_pubsub.schema.counterexamples import find_refused
from typed_pubsub.schema.export import schema_of
from typed_pubsub.schema.unions import Schema
from typed_pubsub.tasks.rehearsal import Refused, Rehearsal

#: Events made of each model; and findings of each route with one.
TRIES = 100
_MOST = 5
# Seconds for each route and model: a slow handler is not run for ever.
_PATIENCE = 10.0
_ID = "00000000-0000-4000-8000-000000000000"

_RULES = {"arguments": "TP401", "value": "TP402", "option": "TP403", "message": "TP404"}
_FIXES = {
    "TP303": "mend it: each event of this kind would be a dead letter",
    "TP304": "take care of such events, or let the model refuse them",
    "TP305": "take care of such events in the condition, or let the model refuse them",
    "TP401": "give the task what its signature asks for",
    "TP402": "give the task what its serializer takes, such as numbers, texts, lists, UUIDs, datetimes or models",
    "TP403": "write the option as apply_async has it",
    "TP404": "look at the options of the call, and at the app's routers and signal receivers",
}
_CALLS = "typed_pubsub.routing.calls"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one event; two of equal ``key`` are the same."""

    rule: str
    key: str
    text: str


class RouteTrials:
    """Tries routes, one by one; ``tried`` counts the events that they were given."""

    def __init__(self, table: RoutingTable, registry: Registry, rehearsal: Rehearsal) -> None:
        """Nothing is run yet."""
        self.tried = 0
        self._registry = registry
        self._policy = table.policy
        self._rehearsal = rehearsal
        self._made: dict[EventClass, list[Sent]] = {}

    def findings(self, route: Route) -> Iterator[Finding]:
        """What generated events show of one route, with a small event for each."""
        where, place = f"route {route.name}", route_place(route)
        alone = RoutingTable(TaskMapping.of([route]), self._registry, self._policy)
        for event in models_of(route, self._registry):
            try:
                made = self._events(event)
            except DefinitionError:
                told = f"no events can be made of {event.__qualname__}: it has no JSON Schema"
                yield finding("TP310", where, told, "see TP206", place)
                continue
            if not made:
                told = f"the model's own validators refuse all that was made of {event.__qualname__}"
                yield finding("TP310", where, told, "test the route by hand, with events that they take", place)
            yield from _Attempt(self, alone, route, meta_of(event)).findings(made, writer_of(event))

    def judge(self, alone: RoutingTable, route: Route, meta: EventMeta, sent: Sent) -> Failure | None:
        """What one event shows: None if the route takes it, or is not for it."""
        if not any(matches(key, sent.routing_key) for key in route.binding_keys):
            return None
        headers = {SPEC_VERSION: "1.0", SCHEMA_VERSION: str(meta.version)}
        decision = alone.decide(Delivery(sent.routing_key, sent.body, _ID, exchange="generated", headers=headers))
        match decision:
            case Schedule(calls=calls, headers=carried):
                refusals = (self._rehearsal.refused(call, carried) for call in calls)
                return next((_refusal(one) for one in refusals if one is not None), None)
            case DeadLetter(reason="mapping_error", detail=detail, private=private):
                return _raised(route, meta, sent) or Failure("TP304", detail, f"{detail}: {private}")
            case _:
                return None

    def _events(self, event: EventClass) -> list[Sent]:
        """Events that the model takes, the smallest first; made once, for all routes."""
        if event not in self._made:
            meta, made = meta_of(event), dict[bytes, Sent]()

            def keep(sent: Sent) -> bool:
                if _fits(meta, sent):
                    made[sent.body] = sent
                return True

            find_refused(writer_of(event), meta.key, keep, tries=TRIES)
            self._made[event] = sorted(made.values(), key=lambda sent: len(sent.body))
        return self._made[event]


class _Attempt:
    """One route with the events of one model."""

    def __init__(self, trials: RouteTrials, alone: RoutingTable, route: Route, meta: EventMeta) -> None:
        self._trials, self._alone, self._route, self._meta = trials, alone, route, meta
        self._until = time.monotonic() + _PATIENCE

    def findings(self, made: list[Sent], writer: Schema) -> Iterator[Finding]:
        shown: dict[str, tuple[Failure, Sent]] = {}
        passed = False
        for sent in made:
            if time.monotonic() > self._until:
                break
            self._trials.tried += 1
            failure = self._judge(sent)
            passed = passed or failure is None
            if failure is not None and len(shown) < _MOST:
                shown.setdefault(failure.key, (failure, sent))
        for failure, sent in shown.values():
            smallest = sent if sent is made[0] else self._smaller(failure, sent, writer)
            yield self._told(self._judge(smallest) or failure, smallest, passed=passed)

    def _told(self, failure: Failure, sent: Sent, *, passed: bool) -> Finding:
        rule = "TP303" if failure.rule in ("TP304", "TP305") and not passed else failure.rule
        told = f"{failure.text}; for example {sent.routing_key} {sent.body.decode()}"
        return finding(rule, f"route {self._route.name}", told, _FIXES[rule], route_place(self._route))

    def _smaller(self, failure: Failure, sent: Sent, writer: Schema) -> Sent:
        """The smallest event found that shows the same; searched for as long as patience lasts."""

        def other(one: Sent) -> bool:
            if time.monotonic() > self._until or not _fits(self._meta, one):
                return True
            found = self._judge(one)
            return found is None or found.key != failure.key

        return find_refused(writer, self._meta.key, other, tries=TRIES) or sent

    def _judge(self, sent: Sent) -> Failure | None:
        return self._trials.judge(self._alone, self._route, self._meta, sent)


def writer_of(event: EventClass) -> Schema:
    """What a publisher of the event writes. Raises DefinitionError: it has no JSON Schema."""
    return written(schema_of(event))


def _fits(meta: EventMeta, sent: Sent) -> bool:
    try:
        read_event(meta, sent.routing_key, sent.body)
    except (BodyError, Exception):  # noqa: BLE001  # a validator may raise anything
        return False
    return True


def _refusal(refused: Refused) -> Failure:
    rule = _RULES[refused.part]
    # Texts of values quote them: one a kind is enough.
    return Failure(rule, rule if refused.part == "value" else f"{rule} {refused.text}", refused.text)


def _raised(route: Route, meta: EventMeta, sent: Sent) -> Failure | None:
    """What the condition or the handler raises, asked one after the other."""
    received = Received(sent.routing_key, read_event(meta, sent.routing_key, sent.body), sent.value)
    try:
        _ask_condition(route, received)
    except BaseException as error:  # noqa: BLE001  # the service's code; SystemExit too
        _not_ctrl_c(error)
        return Failure("TP305", describe_failure(error)[0], f"the condition raises {told(error)}")
    try:
        list(route.calls(received))
    except BaseException as error:  # noqa: BLE001  # as above
        _not_ctrl_c(error)
        if passes(error, _CALLS, "call", "check"):
            return Failure("TP401", f"TP401 {error}", " ".join(str(error).split()))
        if passes(error, _CALLS, "_check_options", "send_options"):
            return Failure("TP403", f"TP403 {error}", " ".join(str(error).split()))
        return Failure("TP304", describe_failure(error)[0], f"the handler raises {told(error)}")
    return None


def _ask_condition(route: Any, received: Received) -> None:
    if isinstance(route, RowRoute):
        route.should_schedule(received.routing_key, received.body)
    elif route.when is not None:
        route.when(received.event)


def _not_ctrl_c(error: BaseException) -> None:
    if isinstance(error, KeyboardInterrupt):
        raise error
