"""One AMQP connection: opened within a deadline, every blocking call bounded, heartbeats by hand.

kombu parses URLs and knows the transports; its own reconnecting, pooling and retrying are not used: they block for
ever, publish twice or hide a loss (docs/reliability.md). One connection belongs to one thread.
"""

import contextlib
import re
import socket
import ssl
import time
from typing import Any

import kombu
from amqp.exceptions import AMQPError

from typed_pubsub.brokers.buffered import NO_WAIT, BufferedConnection
from typed_pubsub.brokers.frames import tolerant_frame_handler
from typed_pubsub.brokers.ready import ReadyMessage

#: What a broken connection raises.
FAULTS = (OSError, AMQPError)

#: Seconds without any frame after which either side gives a connection up, twice over.
HEARTBEAT = 30

# py-amqp kills a connection after one second without an answer at TCP level; networks pause longer than that.
_TCP_USER_TIMEOUT_MS = 20_000


class Link:
    """An AMQP connection that is open or gone: after any fault it is closed and a new one is made."""

    #: Whether every queue of the broker may have a delivery limit, not only quorum queues.
    limits_deliveries = False
    #: Whether a consumer without a prefetch is sent no more than it reads.
    sends_what_is_read = False

    def __init__(self, connection: kombu.Connection, *, timeout: float) -> None:
        """Connects.

        Args:
            connection: kombu's description of the broker; kombu itself never connects it.
            timeout: seconds for the whole of connecting, and then for any single blocking call.

        Raises:
            OSError, AMQPError: no connection within ``timeout``.
        """
        self.blocked = False
        self._last_beat = time.monotonic()
        self.raw: Any = self._connect(connection, timeout)
        self.limit(timeout)

    def _connect(self, connection: kombu.Connection, timeout: float) -> Any:
        # Half for reaching a host, shared by its addresses, half for the broker's side of the handshake.
        connection.connect_timeout = timeout / 2 / _addresses(connection)
        connection.transport_options = {
            **(connection.transport_options or {}),
            "on_blocked": self._on_blocked,
            "on_unblocked": self._on_unblocked,
        }
        transport: Any = connection.transport
        transport.Connection = BufferedConnection
        try:
            return transport.establish_connection()
        except FAULTS:
            connection.maybe_switch_next()
            raise

    def limit(self, seconds: float) -> None:
        """Bounds every blocking call from here on: reads that wait for an answer, and writes."""
        self._require_open()
        self.raw.patience = max(seconds, NO_WAIT)
        self.raw.transport.sock.settimeout(self.raw.patience)

    def channel(self) -> Any:
        """A new channel, whose message bodies stay bytes."""
        channel = self.raw.channel()
        channel.auto_decode = False
        return channel

    @property
    def server_version(self) -> tuple[int, ...]:
        """Of RabbitMQ, such as (3, 10, 25); empty where the broker does not say."""
        properties: Any = getattr(self.raw, "server_properties", None) or {}
        # Pre-releases have more behind a dash.
        return tuple(map(int, re.findall(r"\d+", str(properties.get("version", "")).partition("-")[0])))

    @property
    def socket(self) -> Any:
        """What tells that there is something to read, by being readable; None: nothing does."""
        return self.raw.transport.sock if self.raw.connected else None

    def is_readable(self) -> bool:
        """Whether ``drain`` would find something without waiting, if only that the connection broke."""
        try:
            return not self.raw.connected or self.raw.transport.look()
        except OSError:
            return True

    def hold(self, channel: Any, message: ReadyMessage, where: tuple[str, str], *, mandatory: bool) -> None:
        """Publishes to an exchange, with a key: the bytes leave with the next wait, or the next of any other bytes.

        Raises:
            OSError, AMQPError: the connection broke, or the channel is closed.
        """
        self.raw.hold_publication(
            channel, where, mandatory=mandatory, properties=message.written_properties, body=message.body
        )

    @property
    def held(self) -> int:
        """How many bytes are held back."""
        return self.raw.transport.held if self.raw.connected else 0

    def send_held(self) -> None:
        """Sends what is held back. Raises OSError."""
        self._require_open()
        self.raw.transport.flush()

    def push_held(self) -> None:
        """Hands what is held back on, to leave within 200 ms or with the next. Raises OSError."""
        self._require_open()
        self.raw.transport.push()

    def drain(self, timeout: float) -> bool:
        """Handles what the broker sent; False if nothing came within ``timeout`` seconds."""
        self._require_open()
        try:
            if timeout <= 0 and not self.is_readable():
                return False
            self._read(max(timeout, NO_WAIT))
        except TimeoutError:
            return False
        except (AttributeError, TypeError) as error:
            # py-amqp's answer when the connection went away under it.
            if self.raw.connected:
                raise
            msg = "the connection is closed"
            raise ConnectionError(msg) from error
        return True

    def _read(self, timeout: float) -> None:
        self.raw.drain_events(timeout=timeout)
        self.raw.handle_what_came()

    def heartbeat(self) -> None:
        """Sends a heartbeat when due, and raises if the broker sent none: only for a connection that is being read."""
        self._require_open()
        self.raw.heartbeat_tick()

    def beat(self) -> None:
        """Sends a heartbeat now and then without asking for one: for a connection that nobody can read just now."""
        now = time.monotonic()
        # What was agreed on with the broker, which may ask for less than we do.
        if self.raw.connected and now - self._last_beat > (self.raw.heartbeat or HEARTBEAT) / 4:
            self._last_beat = now
            self.raw.send_heartbeat()

    def close(self, timeout: float = 1.0) -> None:
        """Says goodbye and closes; a broker that does not answer within ``timeout`` seconds is not waited for."""
        with contextlib.suppress(*FAULTS):
            self.limit(timeout)
            self.raw.close()
        with contextlib.suppress(*FAULTS):
            self.raw.collect()

    def abandon(self) -> None:
        """Closes this process's end without a word: after a fork the connection is the parent's."""
        transport = self.raw.transport
        sock, transport.sock, transport.connected = transport.sock, None, False
        if sock is not None:
            sock.detach() if isinstance(sock, ssl.SSLSocket) else sock.close()

    def _require_open(self) -> None:
        # py-amqp connects a closed connection again by itself, without its channels.
        if not self.raw.connected:
            msg = "the connection is closed"
            raise ConnectionError(msg)

    def _on_blocked(self, _reason: Any) -> None:
        self.blocked = True

    def _on_unblocked(self) -> None:
        self.blocked = False


def transport_options() -> dict[str, Any]:
    """py-amqp's options for any connection of ours."""
    return {
        "socket_settings": {socket.TCP_USER_TIMEOUT: _TCP_USER_TIMEOUT_MS},
        "frame_handler": tolerant_frame_handler,
    }


def describe(error: BaseException) -> str:
    """One line on a fault of a connection, for the log: class and text, which hold no secret."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, ssl.SSLError) and error.reason == "WRONG_VERSION_NUMBER":
        # OpenSSL's words for an answer in plain text.
        text += ": this port does not speak TLS, or amqps:// is meant to be amqp://"
    return text


def _addresses(connection: kombu.Connection) -> int:
    # py-amqp gives each address of a host the whole timeout.
    try:
        found = socket.getaddrinfo(connection.hostname, connection.port or None, type=socket.SOCK_STREAM)
    except OSError:
        return 1
    return max(len(found), 1)
