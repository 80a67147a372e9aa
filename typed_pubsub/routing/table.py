"""The compiled mapping: from a delivery to a decision. Pure and total."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from typed_pubsub.errors import DefinitionError
from typed_pubsub.events import tagged
from typed_pubsub.events.codec import BodyError, read_json
from typed_pubsub.events.delivery import Delivery, Metadata, read_metadata
from typed_pubsub.events.ids import uuid_text
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.keys import BindingTrie
from typed_pubsub.events.registry import EventClass, EventMeta, Registry, meta_of
from typed_pubsub.events.upcasts import Chain, StepFailed, chains_to
from typed_pubsub.routing.arguments import portable
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.routing.decisions import DeadLetter, Decision, Schedule, Skip
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.routing.routes import Received, Route

#: Of task ids, with queue, source, event id, route and number: docs/wire-format.md. Never changes.
NAMESPACE = UUID("5f0b5a5e-6d2f-5c5b-9c1e-7a0f2d9b3c41")

_REMEMBERED_KEYS = 10_000
_UNBOUND: tuple[EventMeta | None, Mapping[int, Chain]] = (None, {})


def task_id(name: str) -> str:
    """``str(uuid5(NAMESPACE, name))``, without the UUID in between."""
    digest = hashlib.sha1(NAMESPACE.bytes + name.encode(), usedforsecurity=False)
    return uuid_text(digest.hexdigest(), version=5)


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that decisions depend on; see PubSubConfig for their meaning."""

    queue: str
    unmatched: Literal["dead-letter", "skip"] = "dead-letter"
    require_models: bool = False
    newer_version: Literal["dead-letter", "try"] = "dead-letter"
    default_version: int = 1
    max_body_bytes: int = 1_048_576


@dataclass(frozen=True, slots=True)
class Target:
    """What stands behind a routing key: the newest model bound to it, if any, and the routes that want it.

    ``chains``: how older versions are read, where upcasts say so. ``has_rows``: some of the routes want the body as it
    was sent.
    """

    meta: EventMeta | None
    chains: Mapping[int, Chain]
    routes: tuple[Route, ...]
    has_rows: bool


class RoutingTable:
    """A mapping compiled against a registry, for one queue. Looking up a key costs the same for 1 and 10,000 routes."""

    def __init__(self, mapping: TaskMapping, registry: Registry, policy: Policy) -> None:
        """Compiles the routes; events, upcasts and routes that are added later are not seen.

        Raises:
            DefinitionError: a route is for a superseded version of an event, or for a class of another registry; or
                upcasts do not lead to the newest version.
        """
        self.policy = policy
        self.routes = mapping.routes
        self._models: BindingTrie[tuple[EventMeta | None, Mapping[int, Chain]]] = BindingTrie()
        self._trie: BindingTrie[tuple[int, Route]] = BindingTrie()
        self._targets: dict[str, Target] = {}
        for event in registry:
            meta = meta_of(event)
            if registry.newest(meta.key.text) is event:
                self._models.add(meta.key.binding_key, (meta, chains_to(meta, registry)))
        for index, route in enumerate(self.routes):
            for event in route.events:
                _refuse_superseded(route, event, registry)
            for key in dict.fromkeys(route.binding_keys):
                self._trie.add(key, (index, route))

    @property
    def binding_keys(self) -> tuple[str, ...]:
        """What the queue must be bound with, each once."""
        return tuple(dict.fromkeys(key for route in self.routes for key in route.binding_keys))

    def target(self, routing_key: str) -> Target:
        """The model and the routes of a routing key."""
        target = self._targets.get(routing_key)
        if target is None:
            # Keys of two models never match the same routing key: the registry refuses that.
            meta, chains = next(iter(self._models.find(routing_key)), _UNBOUND)
            found = dict(self._trie.find(routing_key))
            routes = tuple(found[index] for index in sorted(found))
            target = Target(meta, chains, routes, any(not route.events for route in routes))
            # Keys come from the wire: a sender that invents a new one each time must not fill the memory.
            if len(self._targets) >= _REMEMBERED_KEYS:
                self._targets.clear()
            self._targets[routing_key] = target
        return target

    def decide(self, delivery: Delivery, metadata: Metadata | None = None) -> Decision:
        """What a delivery means. Any bytes and any headers give a Decision, and the same ones an equal one.

        Args:
            delivery: the message as it came.
            metadata: ``read_metadata(delivery)``, where the caller has it already.
        """
        said = metadata if metadata is not None else read_metadata(delivery)
        if delivery.wire_error is not None:
            return DeadLetter("undecodable", said.problem or delivery.wire_error)
        target = self.target(said.routing_key)
        refusal = self._refusal(delivery, said, target)
        if refusal is not None:
            return refusal
        try:
            received = self.read(delivery, said, target)
        except BodyError as error:
            return DeadLetter("invalid_body" if error.readable else "undecodable", str(error))
        except StepFailed as failed:
            where, text = describe_failure(failed.error)
            return DeadLetter("invalid_body", f"{failed.place}: {where}", text)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # a validator of the model may raise anything
            where, text = describe_failure(error)
            return DeadLetter("invalid_body", f"$: a validator failed: {where}", text)
        return self._plan(said, target, received)

    def _refusal(self, delivery: Delivery, said: Metadata, target: Target) -> Decision | None:
        """What is decided without looking at the body, or None."""
        policy, meta = self.policy, target.meta
        if not target.routes:
            unmatched = "no route or row wants this key"
            return Skip(unmatched) if policy.unmatched == "skip" else DeadLetter("unknown_event", unmatched)
        if len(delivery.body) > policy.max_body_bytes:
            return DeadLetter("oversize", f"{len(delivery.body)} bytes, MAX_BODY_BYTES is {policy.max_body_bytes}")
        if said.problem is not None:
            return DeadLetter("undecodable", said.problem)
        if meta is None:
            return DeadLetter("unknown_event", "no model is bound to this key") if policy.require_models else None
        version = said.version if said.version is not None else policy.default_version
        if version > meta.version and policy.newer_version == "dead-letter":
            return DeadLetter("newer_version", f"version {version}, the newest known here is {meta.version}")
        return None

    def read(self, delivery: Delivery, said: Metadata, target: Target) -> Received:
        """The event of a delivery, as the routes of its key get it.

        Raises:
            BodyError: it does not fit the model.
            StepFailed: an upcast failed.
            Exception: whatever else a validator of the model raises.
        """
        event: Any = None
        meta = target.meta
        if meta is not None:
            body = delivery.body if said.ours else tagged.plain(delivery.body)
            chain = None if said.version == meta.version else self._chain(said, target)
            event = read_event(meta, said.routing_key, body) if chain is None else chain.read(said.routing_key, body)
        sent: Any = None
        if target.has_rows:
            sent = read_json(delivery.body) if said.ours else tagged.revive(delivery.body)
            if target.meta is None and not isinstance(sent, dict):
                msg = f"$: expected a JSON object, got {type(sent).__name__}"
                raise BodyError(msg, readable=True)
        return Received(said.routing_key, event, sent)

    def _chain(self, said: Metadata, target: Target) -> Chain | None:
        """The upcasts that start from the version of a delivery, if any do."""
        return target.chains.get(said.version if said.version is not None else self.policy.default_version)

    def _plan(self, said: Metadata, target: Target, received: Received) -> Decision:
        """Runs the routes: every call of every one, or a dead letter."""
        calls: list[TaskCall] = []
        for route in target.routes:
            try:
                calls += [self._identified(call, n, route, said) for n, call in enumerate(route.calls(received))]
            except KeyboardInterrupt:
                raise
            except BaseException as error:  # noqa: BLE001  # SystemExit of a handler is the event's fault too
                where, text = describe_failure(error)
                return DeadLetter("mapping_error", f"route {route.name}: {where}", text)
        return Schedule(tuple(calls), said.task_headers()) if calls else Skip("no condition holds")

    def calls_of(self, route: Route, said: Metadata, received: Received) -> list[TaskCall]:
        """The calls of one route, as ``decide`` has them. Raises whatever the user's code raises."""
        return [self._identified(call, number, route, said) for number, call in enumerate(route.calls(received))]

    def _identified(self, call: TaskCall, number: int, route: Route, said: Metadata) -> TaskCall:
        options = call.options
        if options.get("task_id") is None:
            name = f"{self.policy.queue}/{said.source}/{said.event_id}/{route.name}/{number}"
            options = {**options, "task_id": task_id(name)}
        return TaskCall(call.task, portable(call.args), portable(call.kwargs), options, call.local)


def _refuse_superseded(route: Route, event: EventClass, registry: Registry) -> None:
    meta = meta_of(event)
    newest = registry.newest(meta.key.text)
    if newest is event:
        return
    if newest is None:
        msg = f"route {route.name}: {event.__qualname__} is not in the registry of this subscriber"
    else:
        msg = (
            f"route {route.name}: {event.__qualname__} (version {meta.version} of {meta.key.text!r}) is superseded by "
            f"{newest.__qualname__} (version {meta_of(newest).version}); routes are for the newest version"
        )
    raise DefinitionError(msg)
