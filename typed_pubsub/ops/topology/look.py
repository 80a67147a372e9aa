"""What the broker has: asked by AMQP, of the management API, or of the embedded broker's file."""

from collections.abc import Mapping
from typing import Any, Protocol

from typed_pubsub.brokers import queues
from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.event_broker import EmbeddedLink
from typed_pubsub.brokers.sqlite import reading
from typed_pubsub.errors import ConnectFailed, MisconfigurationException, TopologyRefused
from typed_pubsub.ops.connect import TIMEOUT, connected
from typed_pubsub.ops.topology.management import Management, Unreachable, management_of
from typed_pubsub.ops.topology.values import (
    Binding,
    Declared,
    Exchange,
    Found,
    FoundExchange,
    FoundQueue,
    Queue,
    migrating,
)
from typed_pubsub.settings.sqlite_url import is_sqlite_url

_NO_LIST = (
    "so bindings cannot be listed, nor stale ones found, nor unacknowledged messages counted: AMQP has no question for"
    " them"
)


class Source(Protocol):
    """Who knows more than AMQP tells."""

    def exchange(self, name: str) -> Exchange | None:
        """How an exchange that exists was made; None: it does not say."""
        ...

    def unacked(self, queue: str) -> int | None:
        """How many messages of a queue that exists are under way to consumers; None: it does not say."""
        ...

    def bindings(self, queue: str) -> list[Binding]:
        """Those of a queue that exists, the default exchange's not counted."""
        ...


def look(url: str, declared: Declared, management: str | None = None, timeout: float = TIMEOUT) -> Found:
    """What the broker at ``url`` has of what is declared.

    Args:
        url: of the event broker.
        declared: which things to look for, and how they may well have been made.
        management: URL of RabbitMQ's management API; None: at the usual port beside the broker.
        timeout: seconds for connecting to the broker, and then for each of its answers.

    Raises:
        MisconfigurationException: a URL cannot be read.
        ConnectFailed: no connection, or it broke.
        TopologyRefused: the user may not look.
    """
    if is_sqlite_url(url) and not reading.file_exists(url):
        return Found(None, {}, (), ("there is no such file yet: the embedded broker makes it when it is first used",))
    with connected(url, timeout) as link:
        unknown: list[str] = []
        source = _source(url, link, management, unknown)
        try:
            return _looked(link, declared, source, unknown)
        except Unreachable as error:
            raise ConnectFailed(str(error)) from error


def _looked(link: Link, declared: Declared, source: Source | None, unknown: list[str]) -> Found:
    exchange = _exchange(link, declared.exchange, source, unknown)
    names = [name for queue in declared.queues for name in (queue.name, migrating(queue.name))]
    looked = (_queue(link, name, source, unknown) for name in names)
    found = {queue.name: queue for queue in looked if queue is not None}
    bindings = None if source is None else tuple(b for name in found for b in source.bindings(name))
    return Found(exchange, found, bindings, tuple(unknown), link.server_version)


def _source(url: str, link: Link, given: str | None, unknown: list[str]) -> Source | None:
    if isinstance(link, EmbeddedLink):
        return _File(link)
    refusals: list[str] = []
    try:
        for management in management_of(url, given):
            try:
                management.require(link.raw.server_properties.get("cluster_name"))
            except Unreachable as error:
                refusals.append(str(error))
            else:
                return _Api(management)
    except ValueError as error:
        msg = f"--management: {error}"
        raise MisconfigurationException(msg) from None
    unknown.append(f"{'; '.join(refusals)}; {_NO_LIST}")
    return None


def _exchange(link: Link, declared: Exchange, source: Source | None, unknown: list[str]) -> FoundExchange | None:
    if not queues.exchange_exists(link, declared.name):
        return None
    made = source.exchange(declared.name) if source is not None else None
    if made is not None:
        return FoundExchange(declared.name, made)
    try:
        differs = queues.exchange_differs(link, declared.name)
    except TopologyRefused as error:
        unknown.append(str(error))
        return FoundExchange(declared.name)
    if differs is None:
        return FoundExchange(declared.name, declared)
    if differs[0] != "type":
        unknown.append(f"exchange {declared.name!r} differs in {differs[0]} ({differs[1]}), in more maybe")
        return FoundExchange(declared.name)
    return FoundExchange(declared.name, Exchange(declared.name, differs[1]))


def _queue(link: Link, name: str, source: Source | None, unknown: list[str]) -> FoundQueue | None:
    counts = queues.count_queue(link, name)
    if counts is None:
        return None
    made = None
    try:
        told = queues.how_made(link, name)
        made = Queue(name, told.arguments, durable=told.durable, auto_delete=told.auto_delete)
    except TopologyRefused as error:
        unknown.append(str(error))
    return FoundQueue(name, *counts, None if source is None else source.unacked(name), made)


class _Api:
    """The management API as a source; its methods raise Unreachable."""

    def __init__(self, management: Management) -> None:
        self._management = management

    def exchange(self, name: str) -> Exchange | None:
        found = self._management.exchange(name)
        return None if found is None else Exchange(name, found["type"], found["durable"], found["auto_delete"])

    def unacked(self, queue: str) -> int | None:
        # Statistics lag by five seconds, and a queue that was just made has none yet.
        found: Mapping[str, Any] = self._management.queue(queue) or {}
        return found.get("messages_unacknowledged")

    def bindings(self, queue: str) -> list[Binding]:
        found = self._management.bindings(queue)
        return [Binding(b["source"], queue, b["routing_key"], b["arguments"]) for b in found if b["source"]]


class _File:
    """The embedded broker's file as a source."""

    def __init__(self, link: EmbeddedLink) -> None:
        self._connection = link.raw

    def exchange(self, name: str) -> Exchange | None:
        found = reading.exchange(self._connection, name)
        return None if found is None else Exchange(name, *found)

    def unacked(self, queue: str) -> int | None:
        return reading.unacked(self._connection, queue)

    def bindings(self, queue: str) -> list[Binding]:
        return [Binding(exchange, queue, key) for exchange, key in reading.bindings(self._connection, queue)]
