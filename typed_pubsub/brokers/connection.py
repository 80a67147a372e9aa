"""One AMQP connection: opened within a deadline, every blocking call bounded, heartbeats by hand.

kombu parses URLs and knows the transports; its own reconnecting, pooling and retrying are not used: they block for
ever, publish twice or hide a loss (docs/reliability.md). One connection belongs to one thread.
"""

import contextlib
import socket
import ssl
import time
from typing import Any

import kombu
from amqp.exceptions import AMQPError

from typed_pubsub.brokers.frames import tolerant_frame_handler

#: What a broken connection raises.
FAULTS = (OSError, AMQPError)

#: Seconds without any frame after which either side gives a connection up, twice over.
HEARTBEAT = 30

# py-amqp kills a connection after one second without an answer at TCP level; networks pause longer than that.
_TCP_USER_TIMEOUT_MS = 20_000
# A timeout of 0 would make py-amqp spin in the middle of a frame.
_NO_WAIT = 0.0005


class Link:
    """An AMQP connection that is open or gone: after any fault it is closed and a new one is made."""

    #: Whether every queue of the broker may have a delivery limit, not only quorum queues.
    limits_deliveries = False

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
        self._limit = timeout
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
        try:
            raw: Any = connection.transport.establish_connection()
        except FAULTS:
            connection.maybe_switch_next()
            raise
        # py-amqp waits the whole time anew after each heartbeat, which a broker may send for ever while a queue of its
        # own does not answer; its channels wait for their answers through this too.
        raw.drain_events = self._drain_events
        return raw

    def _drain_events(self, timeout: float | None = None) -> None:
        end = time.monotonic() + (self._limit if timeout is None else timeout)
        while not self.raw.blocking_read(max(end - time.monotonic(), _NO_WAIT)):
            if time.monotonic() >= end:
                raise TimeoutError

    def limit(self, seconds: float) -> None:
        """Bounds every blocking call from here on: reads that wait for an answer, and writes."""
        self._require_open()
        self._limit = max(seconds, _NO_WAIT)
        self.raw.transport.sock.settimeout(self._limit)

    def channel(self) -> Any:
        """A new channel, whose message bodies stay bytes."""
        channel = self.raw.channel()
        channel.auto_decode = False
        return channel

    def drain(self, timeout: float) -> bool:
        """Handles one event of the connection; False if none came within ``timeout`` seconds."""
        self._require_open()
        try:
            self.raw.drain_events(timeout=max(timeout, _NO_WAIT))
        except TimeoutError:
            return False
        except (AttributeError, TypeError) as error:
            # py-amqp's answer when the connection went away under it.
            if self.raw.connected:
                raise
            msg = "the connection is closed"
            raise ConnectionError(msg) from error
        return True

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


def transport_options(*, tolerant: bool = False) -> dict[str, Any]:
    """py-amqp's options for any connection of ours; ``tolerant`` for those that read foreign messages."""
    options: dict[str, Any] = {"socket_settings": {socket.TCP_USER_TIMEOUT: _TCP_USER_TIMEOUT_MS}}
    if tolerant:
        options["frame_handler"] = tolerant_frame_handler
    return options


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
