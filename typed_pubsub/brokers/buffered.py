"""py-amqp's connection on transports that read and write in large pieces, and publications as ready bytes."""

import time
from collections.abc import Mapping
from struct import Struct
from typing import Any

from amqp import spec
from amqp.exceptions import RecoverableConnectionError
from amqp.serialization import dumps
from kombu.transport import pyamqp

from typed_pubsub.brokers.frames import BODY, HEADER, METHOD
from typed_pubsub.brokers.transport import FRAME, FRAME_END, BufferedTCP, BufferedTLS, NoAnswer

#: A timeout of 0 would make a socket non-blocking.
NO_WAIT = 0.0005

# A content header up to its properties: frame, class, weight, size of the body.
_CONTENT = Struct(">BHIHHQ")
# Of Basic.Ack, and in Basic.Deliver: delivery tag, and one bit.
_ACK = Struct(">QB")
# Type, channel, size and end.
_AROUND = 8
_MOST_DESTINATIONS = 1_000


class BufferedConnection(pyamqp.Connection):
    """kombu's connection, whose waits end in time though heartbeats keep coming."""

    _transport: Any
    channels: dict[int, Any] | None

    def __init__(self, *args: Any, **options: Any) -> None:
        """As amqp.Connection."""
        super().__init__(*args, **options)
        #: Seconds that a wait of py-amqp's own takes at most; None: for ever.
        self.patience: float | None = None
        self._destinations: dict[tuple[int, str, str, bool], bytes] = {}

    def Transport(  # noqa: N802, PLR0917  # py-amqp's name and signature
        self,
        host: str,
        connect_timeout: float | None,
        ssl: Any = False,  # noqa: FBT002
        read_timeout: float | None = None,
        write_timeout: float | None = None,
        socket_settings: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """The transport to connect with."""
        options = {"read_timeout": read_timeout, "write_timeout": write_timeout, "socket_settings": socket_settings}
        kind: Any = BufferedTLS if ssl else BufferedTCP
        return kind(host, connect_timeout=connect_timeout, ssl=ssl, **options, **kwargs)

    def drain_events(self, timeout: float | None = None) -> None:
        """Handles one method of the broker's, as py-amqp does.

        py-amqp waits the whole time anew after each heartbeat, which a broker may send for ever while a queue of its
        own does not answer; its channels wait for their answers through this too.
        """
        wait = self.patience if timeout is None else timeout
        if wait is None:
            while not self.blocking_read():
                pass
            return
        end = time.monotonic() + wait
        while not self.blocking_read(max(wait, NO_WAIT)):
            wait = end - time.monotonic()
            if wait <= 0:
                raise NoAnswer

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Handles one frame; what that gives is true at the end of a method. Raises NoAnswer, OSError."""
        transport = self._transport
        if transport is None:
            msg = "the connection is closed"
            raise RecoverableConnectionError(msg)
        while (frame := transport.take_frame()) is None:
            transport.receive(timeout)
        return self.on_inbound_frame(frame)

    def handle_what_came(self) -> None:
        """Handles the frames that have come already."""
        transport = self._transport
        while transport is not None and (frame := transport.take_frame()) is not None:
            self.on_inbound_frame(frame)
            transport = self._transport

    def on_inbound_method(self, channel_id: int, method_sig: tuple[int, int], payload: Any, content: Any) -> Any:
        """Hands a method to its channel; deliveries and confirms, which are many, without py-amqp's general reader."""
        channel = self.channels.get(channel_id) if self.channels is not None else None
        if channel is not None and not channel.is_closing:
            if method_sig == spec.Basic.Deliver and self._deliver(channel, payload, content):
                return None
            if method_sig == spec.Basic.Ack and spec.Basic.Ack not in channel._pending:  # noqa: SLF001  # a wait for it
                tag, multiple = _ACK.unpack_from(payload, 4)
                for listener in channel.events["basic_ack"]:
                    listener(tag, bool(multiple & 1))
                return None
        return super().on_inbound_method(channel_id, method_sig, payload, content)

    @staticmethod
    def _deliver(channel: Any, payload: bytes, message: Any) -> bool:
        """Calls the consumer; False if there is none of this name."""
        at = 5 + payload[4]
        consumer_tag = payload[5:at].decode()
        callback = channel.callbacks.get(consumer_tag)
        if callback is None:
            return False
        delivery_tag, redelivered = _ACK.unpack_from(payload, at)
        start = at + 10
        at = start + payload[at + 9]
        message.channel = channel
        message.delivery_info = {
            "consumer_tag": consumer_tag,
            "delivery_tag": delivery_tag,
            "redelivered": bool(redelivered & 1),
            "exchange": payload[start:at].decode(),
            "routing_key": payload[at + 1 : at + 1 + payload[at]].decode(),
        }
        callback(message)
        return True

    def hold_publication(
        self, channel: Any, where: tuple[str, str], *, mandatory: bool, properties: bytes, body: bytes
    ) -> None:
        """Holds a Basic.Publish back, to be written with the next ones, before the next wait or any other write.

        Args:
            channel: one of this connection.
            where: exchange and routing key.
            mandatory: whether the broker is to return what no queue takes.
            properties: as ``properties.encode`` gives them.
            body: of the message.

        Raises:
            RecoverableConnectionError: channel or connection are closed.
            struct.error: a name is longer than AMQP carries.
        """
        transport = self._transport
        if transport is None or channel.connection is None:
            msg = "connection already closed"
            raise RecoverableConnectionError(msg)
        number = channel.channel_id
        method = self._destinations.get((number, *where, mandatory)) or self._method(number, *where, mandatory)
        content = _CONTENT.pack(HEADER, number, 12 + len(properties), spec.Basic.CLASS_ID, 0, len(body))
        most = self.frame_max - _AROUND
        frames = [method, content, properties, FRAME_END]
        for at in range(0, len(body), most):
            part = body[at : at + most]
            frames += (FRAME.pack(BODY, number, len(part)), part, FRAME_END)
        transport.hold(b"".join(frames))
        # py-amqp's measure of life: what was sent need not be followed by a heartbeat.
        self.bytes_sent += 1

    def _method(self, number: int, exchange: str, routing_key: str, mandatory: bool) -> bytes:  # noqa: FBT001
        arguments = dumps("Bssbb", (0, exchange, routing_key, mandatory, False))
        payload = Struct(">HH").pack(*spec.Basic.Publish) + arguments
        method = FRAME.pack(METHOD, number, len(payload)) + payload + FRAME_END
        if len(self._destinations) >= _MOST_DESTINATIONS:
            # Routing keys may be of the events' making.
            self._destinations.clear()
        self._destinations[number, exchange, routing_key, mandatory] = method
        return method
