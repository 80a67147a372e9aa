"""Queues and exchanges as they are at the broker, as far as AMQP tells: it has no question for how a thing was made.

It has an answer to a wrong one. Declaring again what is there changes nothing, and an argument that differs is named
with both of its values; what was named is then declared as it is, until nothing differs any more.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from amqp.exceptions import ChannelError, NotFound, PreconditionFailed

from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.topology import LIMITS_QUORUM_QUEUES, UNLIMITED, on_throw_away_channel, refused
from typed_pubsub.errors import TopologyRefused

# "inequivalent arg 'x-queue-type' for queue 'q' in vhost '/': received none but current is the value 'quorum' of type
# 'longstr'"; of two values of one type: "received 'topic' but current is 'fanout'".
_DIFFERS = re.compile(
    r"inequivalent arg '(?P<name>[^']*)' for .*?: received (?P<given>.*) but current is (?P<there>.*)", re.DOTALL
)
_TYPED = re.compile(r"the value '(?P<value>.*)' of type '(?P<type>\w+)'", re.DOTALL)
_NUMBERS = frozenset({"signedint", "unsignedint", "long", "short", "byte", "unsignedbyte", "unsignedshort"})
_FLAGS = ("durable", "auto_delete", "exclusive")
# Arguments that a queue can have are fewer.
_MOST_QUESTIONS = 40


@dataclass(frozen=True, slots=True)
class Made:
    """How a queue was made."""

    arguments: Mapping[str, Any]
    durable: bool = True
    auto_delete: bool = False


def exchange_exists(link: Link, name: str) -> bool:
    """Whether there is an exchange of this name. Raises TopologyRefused: the broker does not allow the question."""
    try:
        on_throw_away_channel(link, lambda channel: channel.exchange_declare(name, "topic", passive=True))
    except NotFound:
        return False
    except ChannelError as error:
        raise refused(f"to tell of exchange {name!r}", error) from error
    return True


def exchange_differs(link: Link, name: str) -> tuple[str, str] | None:
    """In what the exchange differs from a durable topic exchange, and what it has instead; None: in nothing.

    To be asked only of one that exists: it would be made.

    Raises:
        TopologyRefused: the user may not ask.
    """
    try:
        on_throw_away_channel(
            link, lambda channel: channel.exchange_declare(name, "topic", durable=True, auto_delete=False)
        )
    except PreconditionFailed as error:
        found = _DIFFERS.search(str(error.reply_text or error))
        return (found["name"], str(_value(found["there"]))) if found is not None else ("something", str(error))
    except ChannelError as error:
        raise refused(f"to tell how exchange {name!r} was made", error) from error
    return None


def count_queue(link: Link, name: str) -> tuple[int, int] | None:
    """How many messages are ready in a queue, and its consumers; None: there is no such queue.

    Raises:
        TopologyRefused: the broker does not allow the question.
    """
    found: list[Any] = []
    try:
        on_throw_away_channel(link, lambda channel: found.append(channel.queue_declare(name, passive=True)))
    except NotFound:
        return None
    except ChannelError as error:
        raise refused(f"to tell of queue {name!r}", error) from error
    return int(found[0][1]), int(found[0][2])


def drops_by_itself(link: Link, name: str) -> bool:
    """Whether the broker may drop messages of an existing queue for having been delivered and given back often.

    RabbitMQ does from 4.0 on, where a quorum queue does not say otherwise. Its limit may come from a policy, which
    nobody can ask for here.
    """
    return link.server_version >= LIMITS_QUORUM_QUEUES and has_delivery_limit(link, name)


def has_delivery_limit(link: Link, name: str) -> bool:
    """Whether an existing queue is a quorum queue that is not declared to be without a delivery limit.

    Where the user may not declare queues nobody knows, and it may well have one.
    """
    try:
        arguments = how_made(link, name).arguments
    except TopologyRefused:
        return True
    return arguments.get("x-queue-type") == "quorum" and arguments.get("x-delivery-limit") != UNLIMITED


def how_made(link: Link, name: str) -> Made:
    """How a queue was made.

    To be asked only of one that exists: it would be made.

    Raises:
        TopologyRefused: the user may not ask, or the broker's answer cannot be read.
    """
    # Beginning with none: an argument that a queue of that type cannot have is not compared.
    arguments: dict[str, Any] = {}
    flags, text = {"durable": True, "auto_delete": False}, ""
    for _ in range(_MOST_QUESTIONS):
        error = _objection(link, name, arguments, flags)
        if error is None:
            return Made(arguments, **flags)
        text = str(error.reply_text or error)
        found = _DIFFERS.search(text)
        if found is None or found["name"] == "exclusive":
            break
        _take_over(found, arguments, flags)
    msg = f"the broker does not tell how queue {name!r} was made: {text}"
    raise TopologyRefused(msg)


def _objection(
    link: Link, name: str, arguments: Mapping[str, Any], flags: Mapping[str, bool]
) -> PreconditionFailed | None:
    try:
        on_throw_away_channel(link, lambda channel: channel.queue_declare(name, arguments=dict(arguments), **flags))
    except PreconditionFailed as error:
        return error
    except ChannelError as error:
        raise refused(f"to tell how queue {name!r} was made", error) from error
    return None


def _take_over(found: re.Match[str], arguments: dict[str, Any], flags: dict[str, bool]) -> None:
    name, there = found["name"], found["there"]
    if name in _FLAGS:
        flags[name] = there.strip("'").lower() in ("true", "1")
    elif name == "arguments":
        # The embedded broker's words for all of them together.
        arguments.clear()
        arguments.update(msgspec.json.decode(there.strip("'")))
    else:
        arguments[name] = _value(there)


def _value(there: str) -> Any:
    """The value that the broker's words are for: of the type that they name, else a text."""
    typed = _TYPED.fullmatch(there)
    if typed is None:
        return there.strip("'")
    if typed["type"] in _NUMBERS:
        return int(typed["value"])
    return typed["value"] == "true" if typed["type"] == "bool" else typed["value"]
