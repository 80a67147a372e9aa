"""Messages from one queue to another: each confirmed in the new one before it leaves the old one.

What moves is the message as it is: body, properties and headers, but for those that would act on it a second time. It
goes through the default exchange, so its routing key is kept in ``x-pubsub-routing-key`` (docs/wire-format.md).
"""

import contextlib
import hashlib
import struct
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

from amqp.exceptions import AccessRefused, AMQPError, ChannelError, NotFound, PreconditionFailed

from typed_pubsub.brokers.confirms import ConfirmChannel, Taken
from typed_pubsub.brokers.connection import Link
from typed_pubsub.brokers.consumer import delivery_of
from typed_pubsub.brokers.queues import count_queue
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.brokers.topology import on_throw_away_channel, refused
from typed_pubsub.errors import TopologyRefused
from typed_pubsub.events.delivery import Delivery, read_metadata
from typed_pubsub.events.message import ROUTING_KEY

#: Messages that are written before their confirms are waited for: at most so many are in both queues after a crash.
WINDOW = 200
# Seconds without a delivery after which the broker is asked whether there is anything left.
_SILENCE = 0.3
# Seconds without a delivery after which no more of those are waited for that the broker has counted.
_PATIENCE = 10.0
# Seconds for the confirms of a window.
_CONFIRM = 60.0
# AMQP's most; RabbitMQ gives a quorum queue's consumer that sets none 2,000.
_MOST_PREFETCH = 65_535

# CC: other queues would get it too (BCC is never delivered). The counts are the queue's own.
_ACTING_HEADERS = frozenset({"CC", "BCC", "x-delivery-count", "x-acquired-count"})
# It would expire or be refused: a user id that is not the connection's own.
_ACTING_PROPERTIES = frozenset({"expiration", "user_id", "cluster_id"})
_DIRECT_REPLY = "amq.rabbitmq.reply-to"

# Of a dead letter, which keeps the id of its event: when it was written.
_TIME = "x-pubsub-time"


def identity(delivery: Delivery) -> bytes | None:
    """What tells the copies of one event from any other event; None for a message without an id."""
    said = read_metadata(delivery)
    if not said.has_id:
        return None
    digest = hashlib.blake2b(delivery.body, digest_size=16)
    for text in (said.source, said.event_id, said.routing_key, str(delivery.headers.get(_TIME, ""))):
        digest.update(text.encode(errors="backslashreplace") + b"\0")
    return digest.digest()


def copy_of(delivery: Delivery) -> ReadyMessage:
    """The message to put on another queue.

    Raises:
        TopologyRefused: AMQP cannot carry a header or a property as it was read.
    """
    if delivery.raw_properties:
        # Nobody can read them, so nothing can be added.
        return _RawMessage(delivery.body, delivery.raw_properties)
    headers = {name: value for name, value in delivery.headers.items() if name not in _ACTING_HEADERS}
    # Always: a message that came under a key of its own may bring a header that was not to be believed.
    headers[ROUTING_KEY] = read_metadata(delivery).routing_key
    properties = {name: value for name, value in delivery.properties.items() if name not in _ACTING_PROPERTIES}
    if properties.get("reply_to") == _DIRECT_REPLY:
        del properties["reply_to"]
    try:
        return ReadyMessage(delivery.body, {**properties, "application_headers": headers})
    except (ValueError, TypeError, struct.error, AMQPError) as error:
        msg = f"a message with key {headers[ROUTING_KEY]!r} cannot be written again ({type(error).__name__}: {error})"
        raise TopologyRefused(msg) from error


class _RawMessage(ReadyMessage):
    """A message whose properties are these bytes."""

    __slots__ = ()

    def __init__(self, body: bytes, properties: bytes) -> None:
        super().__init__(body, {})
        self.written_properties = properties


def shared(link: Link, source: str, target: str) -> Counter[bytes]:
    """The events that both queues have, as often as both have them: by id, source, key and body.

    Reads both and puts all back: what was read counts as delivered once.
    """
    there = Counter(_identities(link, source))
    if not there:
        return there
    return there & Counter(known for known in _identities(link, target) if known in there)


def move(
    reading: Link,
    writing: Link,
    names: tuple[str, str],
    *,
    known: Counter[bytes],
    most: int,
    advance: Callable[[int], None] = lambda _: None,
) -> int:
    """Moves messages from a queue to another one; how many were moved.

    Args:
        reading: the connection for the queue that is read.
        writing: the connection for the queue that is written.
        names: of these two.
        known: events that the second has already, counted: so many of each are dropped; changed meanwhile.
        most: stop after so many, or when the first is empty.
        advance: called with how many more are done.

    Raises:
        TopologyRefused: somebody consumes the first, the second refuses a message, or AMQP cannot carry one.
        OSError, AMQPError: a connection broke; what was not confirmed is still in the first.
    """
    source, target = names
    confirms: ConfirmChannel[int] = ConfirmChannel(writing)
    came: deque[Delivery] = deque()
    moved = 0
    with _consuming(reading, source, WINDOW * 2, came) as channel:
        while moved < most:
            window = _window(reading, came, min(WINDOW, most - moved))
            if window:
                fresh = [delivery for delivery in window if not _drop(delivery, known)]
                _put(confirms, fresh, target, reading.beat)
                # All up to the last: each is in the other queue by now.
                channel.basic_ack(window[-1].tag, multiple=True)
                moved += len(window)
                advance(len(window))
            elif not _ready(reading, source):
                break
    return moved


def delete_empty(link: Link, name: str, *, quorum: bool) -> bool:
    """Deletes a queue that nobody consumes and that has no message; False: it has some, or a consumer.

    Raises:
        TopologyRefused: the user may not.
    """
    # RabbitMQ closes the connection of who asks a quorum queue for this.
    conditions = {} if quorum else {"if_unused": True, "if_empty": True}
    if count_queue(link, name) not in ((0, 0), None) or _holds_any(link, name):
        return False
    try:
        on_throw_away_channel(link, lambda channel: channel.queue_delete(name, **conditions))
    except PreconditionFailed:
        return False
    except ChannelError as error:
        raise refused(f"to delete queue {name!r}", error) from error
    return True


def _holds_any(link: Link, name: str) -> bool:
    """Whether a queue has a message, those included that its last consumer has just given back.

    The count of a quorum queue may be from before that; a message asked for comes out of its log, behind it.
    """
    found: list[Any] = []
    try:
        # The end of the channel puts it back.
        on_throw_away_channel(link, lambda channel: found.append(channel.basic_get(name)))
    except NotFound:
        return False
    except ChannelError:
        # Somebody has it for himself.
        return True
    return found[0] is not None


def _drop(delivery: Delivery, known: Counter[bytes]) -> bool:
    """Whether the other queue has the event already."""
    name = identity(delivery) if known else None
    if name is None or known[name] <= 0:
        return False
    known[name] -= 1
    return True


def _put(confirms: ConfirmChannel[int], window: Iterable[Delivery], target: str, tick: Callable[[], None]) -> None:
    for delivery in window:
        confirms.put(delivery.tag, copy_of(delivery), "", target)
    confirms.link.send_held()
    confirms.flush(_CONFIRM, tick, while_blocked=_CONFIRM)
    refusals = [outcome for outcome in confirms.take_outcomes().values() if not isinstance(outcome, Taken)]
    if refusals:
        msg = f"queue {target!r} refused {len(refusals)} messages ({refusals[0]}): they are where they were"
        raise TopologyRefused(msg)


def _window(link: Link, came: deque[Delivery], most: int) -> list[Delivery]:
    link.beat()
    while len(came) < most and link.drain(_SILENCE):
        pass
    return [came.popleft() for _ in range(min(most, len(came)))]


def _identities(link: Link, queue: str) -> Iterator[bytes]:
    """Those of the messages that are in a queue now; all stay there."""
    left, seen, room = _ready(link, queue), 0, 0
    came: deque[Delivery] = deque()
    with contextlib.ExitStack() as consumers:
        while left > seen:
            if seen >= room:
                # There are more messages than a consumer may hold.
                consumers.enter_context(_consuming(link, queue, _MOST_PREFETCH, came, exclusive=False))
                room += _MOST_PREFETCH
            link.beat()
            # A broker that is busy is silent for a while; one that stays silent has lost some (they expired).
            if not came and not link.drain(_PATIENCE):
                return
            seen += len(came)
            names = [identity(delivery) for delivery in came]
            came.clear()
            yield from (name for name in names if name is not None)


def _ready(link: Link, queue: str) -> int:
    return (count_queue(link, queue) or (0, 0))[0]


@contextlib.contextmanager
def _consuming(
    link: Link, queue: str, prefetch: int, came: deque[Delivery], *, exclusive: bool = True
) -> Generator[Any]:
    """A consumer's channel, whose deliveries go to ``came``; in the end what was not acknowledged goes back."""

    def keep(message: Any) -> None:
        came.append(delivery_of(message))

    channel = link.channel()
    try:
        channel.basic_qos(0, prefetch, False)  # noqa: FBT003  # a_global: quorum queues refuse it
        tag = channel.basic_consume(queue, exclusive=exclusive, callback=keep)
    except AccessRefused as error:
        msg = f"queue {queue!r} has a consumer, or this user may not read it ({error.reply_text}): stop its subscribers"
        raise TopologyRefused(msg) from error
    yield channel
    # First of all, so that the queue knows that nobody consumes it when it is deleted.
    channel.basic_cancel(tag)
    channel.close()
