"""A broker that speaks AMQP, from the connection upwards: RabbitMQ, and as far as it goes the embedded one."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from typed_pubsub.brokers.advice import advice as what_to_look_at
from typed_pubsub.brokers.connection import FAULTS, Link, describe
from typed_pubsub.brokers.queues import count_queue, exchange_exists
from typed_pubsub.brokers.survey import Refused, RoundTrips, agreed, may_bind, may_publish, measure
from typed_pubsub.errors import TopologyRefused
from typed_pubsub.ops.doctor.facts import look_at_version
from typed_pubsub.ops.doctor.lines import Line, advice, ok, problem, unknown

_GOODBYE = 0.5
_FRAMES = 131_072


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of a broker: names of the service's entities, None or empty: it has none there.

    ``setting`` is the one that has the URL, ``maker`` who makes a queue that is not there yet.
    """

    exchange: str | None = None
    queues: tuple[str, ...] = ()
    consumed: str | None = None
    max_body_bytes: int | None = None
    embedded: bool = False
    setting: str = "BROKER_URL"
    maker: str = "the first subscriber"


def look_at_broker(connect: Callable[[float], Link], asked: Asked, timeout: float) -> Iterator[Line]:
    """Login and all that a connection tells; one line of a problem, subject "login", where there is none."""
    try:
        link = connect(timeout)
    except FAULTS as error:
        yield problem("login", describe(error), what_to_look_at(error, asked.setting))
        return
    try:
        link.limit(timeout)
        yield ok("login", "accepted")
        yield from _told(link, asked, timeout)
    except FAULTS as error:
        yield problem("connection", f"it broke: {describe(error)}", "look at the broker's log")
    finally:
        link.close(_GOODBYE)


def _told(link: Link, asked: Asked, timeout: float) -> Iterator[Line]:
    if not asked.embedded:
        yield from _handshake(link, asked)
    if link.blocked:
        yield problem("alarm", "the broker blocks publishers", "free its memory or disk: rabbitmq-diagnostics alarms")
    yield _round_trips(measure(link, timeout))
    if asked.exchange:
        yield from _exchange(link, asked.exchange, embedded=asked.embedded)
    for queue in asked.queues:
        yield _queue(link, queue, asked)
    if asked.exchange and asked.consumed and not asked.embedded:
        yield from _binding(link, asked.consumed, asked.exchange)


def _handshake(link: Link, asked: Asked) -> Iterator[Line]:
    said = agreed(link)
    yield ok("broker", " ".join(part for part in (said.product, said.version, said.cluster) if part) or "unnamed")
    if said.heartbeat:
        yield ok("heartbeat", f"every {said.heartbeat} s agreed")
    else:
        yield problem("heartbeat", "none: a dead connection shows late", "set heartbeat= of the broker or the URL")
    told = f"{said.frame_max:,} bytes" if said.frame_max else "no limit"
    small = 0 < said.frame_max < _FRAMES
    yield advice("frame_max", f"{told}: headers of a task have to fit into one") if small else ok("frame_max", told)
    if said.product == "RabbitMQ":
        yield from look_at_version(said.version, asked.max_body_bytes)


def _round_trips(found: RoundTrips | Refused) -> Line:
    if isinstance(found, Refused):
        if found.permission:
            return unknown("round trip", f"not measured, this user may not declare a queue of its own: {found.text}")
        return problem("round trip", found.text, "look at the broker's log")
    told = f"{found.median * 1000:.1f} ms, the worst of 20 {found.worst * 1000:.1f} ms, confirmed"
    return ok("round trip", told)


def _exchange(link: Link, name: str, *, embedded: bool) -> Iterator[Line]:
    try:
        there = exchange_exists(link, name)
    except TopologyRefused as error:
        yield problem("exchange", str(error), "let the user see it, or correct EXCHANGE")
        return
    if not there:
        yield advice("exchange", f"{name} is not there yet: the first publisher or subscriber makes it")
        return
    yield ok("exchange", f"{name} is there")
    if embedded:
        return
    refused = may_publish(link, name)
    if refused is None:
        yield ok("publishing", f"the user may write to {name}")
    elif refused.permission:
        yield problem("publishing", refused.text, f"rabbitmqctl set_permissions: write has to match {name}")
    else:
        yield unknown("publishing", refused.text)


def _queue(link: Link, name: str, asked: Asked) -> Line:
    try:
        counted = count_queue(link, name)
    except TopologyRefused as error:
        return problem("queue", str(error), "let the user see it, or correct QUEUE_NAME")
    if counted is None:
        return advice("queue", f"{name} is not there yet: {asked.maker} makes it")
    ready, consumers = counted
    told = f"{name}: {ready:,} ready, {consumers} consuming"
    if name != asked.consumed:
        return ok("queue", told)
    if not consumers and ready:
        return problem("queue", told, "start a subscriber: nobody takes these events")
    return ok("queue", told) if consumers else advice("queue", f"{told}: no subscriber runs")


def _binding(link: Link, queue: str, exchange: str) -> Iterator[Line]:
    if _are_there(link, queue, exchange):
        refused = may_bind(link, queue, exchange)
        if refused is None:
            yield ok("binding", f"the user may bind {queue} to {exchange}")
        elif refused.permission:
            fix = f"rabbitmqctl set_permissions: write has to match {queue}, read {exchange}"
            yield problem("binding", refused.text, fix)
        else:
            yield unknown("binding", refused.text)


def _are_there(link: Link, queue: str, exchange: str) -> bool:
    try:
        return count_queue(link, queue) is not None and exchange_exists(link, exchange)
    except TopologyRefused:
        return False
