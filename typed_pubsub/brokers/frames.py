"""Reads frames that would crash py-amqp, so that one bad message does not stop a subscriber for good.

py-amqp decodes properties and keys strictly, outside of any callback: a header timestamp in milliseconds (beyond year
9999) or a routing key that is not UTF-8 raises out of ``drain_events``, and a classic queue then hands the same
message to every restart. Here such a message is delivered all the same, with ``wire_error`` saying what could not be
read. Handed to ``amqp.Connection`` as ``frame_handler`` (py-amqp 5; a contract test holds it).
"""

from collections import defaultdict
from collections.abc import Callable
from struct import error as StructError  # noqa: N812
from struct import unpack_from
from typing import Any

from amqp import spec
from amqp.basic_message import Message
from amqp.exceptions import AMQPError, UnexpectedFrame

from typed_pubsub.brokers import properties

#: Types of frames.
METHOD, HEADER, BODY, HEARTBEAT = 1, 2, 3, 8
_CONTENT_METHODS = frozenset([spec.Basic.Return, spec.Basic.Deliver, spec.Basic.GetOk])
#: What reading a message's properties may raise. RecursionError: headers nested a thousand deep, which the broker
#: passes on.
UNREADABLE = (ValueError, OverflowError, TypeError, LookupError, StructError, AMQPError, OSError, RecursionError)

Frame = tuple[int, int, Any]
Callback = Callable[[int, tuple[int, int], Any, Any], Any]


def tolerant_frame_handler(connection: Any, callback: Callback) -> Callable[[Frame], bool]:
    """A frame handler for ``amqp.Connection`` that never fails on what a message brings.

    Raises (from the handler):
        UnexpectedFrame: the broker broke the protocol; the connection is then lost, as it must be.
    """
    expected: defaultdict[int, int] = defaultdict(lambda: METHOD)
    partial: dict[int, Message] = {}

    def complete(channel: int, message: Any) -> bool:
        expected[channel] = METHOD
        del partial[channel]
        _hand_over(callback, channel, message)
        return True

    def on_frame(frame: Frame) -> bool:
        kind, channel, payload = frame
        connection.bytes_recv += 1
        if kind == HEARTBEAT:
            return False
        if kind != expected[channel]:
            msg = f"Received frame {kind} while expecting type: {expected[channel]}"
            raise UnexpectedFrame(msg)
        if kind == METHOD:
            method = unpack_from(">HH", payload, 0)
            if method not in _CONTENT_METHODS:
                callback(channel, method, payload, None)
                return True
            partial[channel] = Message(frame_method=method, frame_args=payload)
            expected[channel] = HEADER
            return False
        message: Any = partial[channel]
        if kind == HEADER:
            _read_header(message, payload)
            expected[channel] = BODY
        else:
            message.inbound_body(payload)
        return complete(channel, message) if message.ready else False

    return on_frame


def _read_header(message: Any, payload: Any) -> None:
    # Class id (2), weight (2) and size (8) come first and are sound: the broker wrote them.
    (message.body_size,) = unpack_from(">xxxxQ", payload, 0)
    message.ready = not message.body_size
    try:
        message.properties = properties.decode(payload, 12)
    except UNREADABLE as error:
        mark_unreadable(message, error, bytes(payload[12:]))


def mark_unreadable(message: Any, error: BaseException, raw_properties: bytes) -> None:
    """Gives a message whose properties raised ``error`` none, and says so on it."""
    message.properties = {}
    message.wire_error = f"properties or headers cannot be read ({type(error).__name__})"
    message.raw_properties = raw_properties


def _hand_over(callback: Callback, channel: int, message: Any) -> None:
    if message.frame_method == spec.Basic.Deliver:
        message.frame_args = _with_readable_names(message)
    callback(channel, message.frame_method, message.frame_args, message)


def _with_readable_names(message: Any) -> Any:
    """The arguments of a Basic.Deliver, with exchange and routing key made UTF-8 where they are not."""
    arguments = bytes(message.frame_args)
    if arguments[4:].isascii():
        return arguments
    # method (4), consumer tag (short string), delivery tag (8), redelivered (1), exchange, routing key.
    start = 4 + 1 + arguments[4] + 8 + 1
    exchange = arguments[start + 1 : start + 1 + arguments[start]]
    rest = start + 1 + arguments[start]
    routing_key = arguments[rest + 1 : rest + 1 + arguments[rest]]
    names = [_utf8(name, message) for name in (exchange, routing_key)]
    return arguments[:start] + b"".join(bytes([len(name)]) + name for name in names)


def _utf8(name: bytes, message: Any) -> bytes:
    try:
        name.decode()
    except UnicodeDecodeError:
        message.wire_error = "the routing key is not UTF-8"
        return name.decode("ascii", "backslashreplace").encode()[:255]
    return name
