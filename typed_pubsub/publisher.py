"""``Publisher``: typed events out, each confirmed by the broker before the call returns."""

import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import pydantic_core

from typed_pubsub.brokers.event_broker import EventBroker, unencrypted_hosts
from typed_pubsub.brokers.pool import Pool
from typed_pubsub.brokers.publishing import Publication
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import EventError
from typed_pubsub.events.codec import BodyError, read_json
from typed_pubsub.events.ids import uuid_text
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.keys import check_amqp_key
from typed_pubsub.events.message import Context, Message, compose
from typed_pubsub.events.registry import (
    EventClass,
    EventMeta,
    EventType,
    Registry,
    default_registry,
    meta_of,
    name_of,
    registry_of,
)
from typed_pubsub.events.shapes import is_mapping

log = logging.getLogger("typed_pubsub.publisher")

_WARN_EVERY = 60.0
_MAX_WARNED_KEYS = 10_000
#: The classes of which it was looked whether they should not be published any more: once in a process.
_looked_at: dict[EventClass, object] = {}


class Publisher:
    """Publishes events to the exchange of ``config``.

    Thread-safe: threads may share one publisher, each call uses a connection of its own out of a pool. Fork-safe: a
    child process opens connections of its own. Connects at the first publication, reconnects by itself. A context
    manager; ``close()`` closes idle connections. Of an event that is deprecated, or whose version is superseded, a
    process warns once a class.
    """

    def __init__(self, config: PubSubConfig, *, registry: Registry | None = None) -> None:
        """Imports the service's events; nothing is connected yet.

        Args:
            config: needs ``broker_url`` and ``exchange``.
            registry: where ``publish_event`` looks up models; default: the library's default registry.

        Raises:
            MisconfigurationException: an event module cannot be found, or the URL cannot be read.
            DefinitionError: an event class has a forward reference that leads nowhere.
        """
        self.config = config
        self._registry = registry if registry is not None else default_registry
        config.load_events()
        self._registry.prepare()
        self._pool = Pool(EventBroker(config.broker_url).connect, config.exchange)
        self._warned: dict[str, float] = {}
        self._lock = threading.Lock()
        for host in unencrypted_hosts(config.broker_url):
            log.warning("BROKER_URL reaches %s in plain text: use amqps://", host)

    def publish(
        self,
        event: EventType,
        *,
        event_id: str | UUID | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        traceparent: str | None = None,
    ) -> str:
        """Publishes one event; returns its id when the broker has confirmed it.

        Args:
            event: an instance of an Event or StructEvent.
            event_id: repeats a publication under its id; default: a new UUID 4 each time.
            correlation_id: the conversation that the event belongs to; default: the event's own id, a new one.
            causation_id: the id of the event that caused this one.
            traceparent: W3C trace context, handed through to the tasks.

        Raises:
            DefinitionError: the object is no event.
            EventError: the event has no JSON form, is too large, or its model would not accept what it writes; or an
                id is no printable text of 1 to 255 bytes.
            PublishFailed: not confirmed within ``publish_timeout``, or unroutable where that is an error.
        """
        context = self._context(correlation_id, causation_id, traceparent)
        message = self._message(event, _event_id(event_id), context)
        self._publication().run((message,))
        return message.event_id

    def publish_many(
        self,
        events: Iterable[EventType],
        *,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        traceparent: str | None = None,
    ) -> int:
        """Publishes events as they are read from ``events``, with pipelined confirms; returns their number.

        Only a bounded window is held in memory; each event has ``publish_timeout`` from its entry into it. The other
        arguments are those of ``publish``, for every event.

        Raises:
            PublishFailed: naming by index and id what is not confirmed; events not read by then are in no list.
            DefinitionError, EventError: as ``publish``, for the first event that cannot be written; those before it
                are confirmed, and a note on the error says how many.
        """

        def messages() -> Iterator[Message]:
            for event in events:
                yield self._message(event, _new_id(), self._context(correlation_id, causation_id, traceparent))

        return self._publication().run(messages(), at_hand=isinstance(events, list | tuple))

    def publish_event(self, routing_key: str, body: Mapping[str, Any], *, event_id: str | UUID | None = None) -> str:
        """The classic form: a routing key and a dict. Where a model is bound to the key, the body must fit it.

        The message is the one that ``publish`` would send for the model; without a model it is the body as plain JSON.

        Raises:
            EventError: the body does not fit the model, has a key that the model does not know, or has no JSON form;
                or no model is bound to the key and ``require_models`` is set.
            PublishFailed: as ``publish``.
        """
        message = self._classic(routing_key, body, _event_id(event_id))
        self._publication().run((message,))
        return message.event_id

    def publish_events(self, events: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """``publish_many`` for the classic form: routing keys and dicts, read as they are written; gives their number.

        Raises:
            EventError, PublishFailed: as ``publish_event`` and ``publish_many``.
        """
        messages = (self._classic(routing_key, body, _new_id()) for routing_key, body in events)
        return self._publication().run(messages, at_hand=isinstance(events, list | tuple))

    def close(self) -> None:
        """Closes idle connections. Publications under way in other threads are finished, then theirs are closed."""
        self._pool.close()

    def __enter__(self) -> Self:
        """The publisher itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Closes it."""
        self.close()

    def _context(self, correlation_id: str | None, causation_id: str | None, traceparent: str | None) -> Context:
        return Context(self.config.source, datetime.now(UTC), correlation_id, causation_id, traceparent)

    def _classic(self, routing_key: str, body: Mapping[str, Any], event_id: str) -> Message:
        """The message of a routing key and a dict. Raises EventError."""
        try:
            check_amqp_key(routing_key)
        except (ValueError, AttributeError) as error:
            raise EventError(str(routing_key), str(error)) from error
        model = self._registry.find(routing_key)
        context = self._context(None, None, None)
        written = _plain_json(routing_key, body)
        if model is not None:
            return self._message(_event_from(routing_key, meta_of(model), body, written), event_id, context)
        if self.config.require_models:
            raise EventError(routing_key, "no model is bound to this key, and REQUIRE_MODELS is set")
        message = compose(None, routing_key, written, event_id, context)
        self._refuse_large(message)
        return message

    def _message(self, event: EventType, event_id: str, context: Context) -> Message:
        routing_key, body = write_event(event)
        if type(event) not in _looked_at:
            _warn_outdated(type(event))
        message = compose(meta_of(type(event)), routing_key, body, event_id, context)
        self._refuse_large(message)
        return message

    def _refuse_large(self, message: Message) -> None:
        if len(message.body) > self.config.max_body_bytes:
            problem = f"expected at most {self.config.max_body_bytes} bytes (MAX_BODY_BYTES), got {len(message.body)}"
            raise EventError(message.routing_key, problem)

    def _publication(self) -> Publication:
        config = self.config
        return Publication(
            self._pool, config.exchange, config.publish_timeout, config.unroutable, self._warn_unroutable
        )

    def _warn_unroutable(self, routing_key: str) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._warned.get(routing_key, -_WARN_EVERY) < _WARN_EVERY:
                return
            if len(self._warned) >= _MAX_WARNED_KEYS:
                self._warned.clear()
            self._warned[routing_key] = now
        exchange = self.config.exchange
        log.warning("no queue of exchange %r takes events of %r: nobody will see them", exchange, routing_key)


def _new_id() -> str:
    """``str(uuid4())``, without the UUID in between."""
    return uuid_text(os.urandom(16).hex(), version=4)


def _event_id(given: str | UUID | None) -> str:
    return _new_id() if given is None else str(given)


def _warn_outdated(event: EventClass) -> None:
    """Warns of a class that is deprecated or superseded, once in a process."""
    mine = object()
    # Atomic: threads may publish their first event of a class at once.
    if _looked_at.setdefault(event, mine) is not mine:
        return
    meta = meta_of(event)
    newest = registry_of(event).newest(meta.key.text)
    if meta.deprecated is not None:
        why = f"deprecated: {meta.deprecated}"
    elif newest is not None and meta_of(newest).version > meta.version:
        why = f"superseded: use {name_of(newest)} (version {meta_of(newest).version})"
    else:
        return
    log.warning("publishing %s (%r version %d), which is %s", name_of(event), meta.key.text, meta.version, why)


def _event_from(routing_key: str, meta: EventMeta, body: Mapping[str, Any], written: bytes) -> Any:
    names = {name for choices in meta.codec.read_names.values() for name in choices}
    unknown = sorted(str(name) for name in body if name not in names)
    if unknown:
        problem = ", ".join(f"$.{name}" for name in unknown)
        raise EventError(routing_key, f"{problem}: expected only fields of the model bound to this key")
    try:
        return read_event(meta, routing_key, written)
    except BodyError as error:
        raise EventError(routing_key, str(error)) from error


def _plain_json(routing_key: str, body: Any) -> bytes:
    if not is_mapping(body):
        raise EventError(routing_key, f"$: expected a dict, got {type(body).__name__}")
    try:
        written = pydantic_core.to_json(dict(body), inf_nan_mode="constants")
        if b"NaN" in written or b"Infinity" in written:
            read_json(written)
    except (ValueError, RecursionError) as error:
        raise EventError(routing_key, f"$: expected a body that has a JSON form: {error}") from error
    return written
