"""py-amqp's transports with fewer system calls: reads by the buffer, writes that wait for each other.

py-amqp reads a frame with three ``recv`` and sets two timeouts for it, and sends each message by itself. Here whatever
has come is read at once, and messages can be held back to go together. What is held back leaves before anything is
waited for and before anything else is written: nobody can wait for the answer to what was not sent.
"""

import contextlib
import errno
import socket
import ssl
from struct import Struct
from typing import Any

from amqp.exceptions import UnexpectedFrame
from amqp.transport import SSLTransport, TCPTransport

_CHUNK = 65_536
#: What a frame begins with (type, channel, size of the payload), and ends with.
FRAME = Struct(">BHI")
FRAME_END = b"\xce"
_FOR_NOW = {errno.EAGAIN, errno.EWOULDBLOCK, errno.EINTR, errno.ENOENT}
# The kernel keeps such a write for more to come, 200 ms at most (Linux: send(2), MSG_MORE; tcp(7), TCP_CORK).
_MORE: int = getattr(socket, "MSG_MORE", 0)


class NoAnswer(TimeoutError):
    """Whoever took the connection did not answer in time."""


class _Buffered:
    """What both transports get; see py-amqp's for what they have."""

    sock: Any
    connected: bool

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._came = b""
        self._at = 0
        self._held: list[bytes] = []
        self._corked = False
        #: Bytes that are held back.
        self.held = 0

    def _init_socket(self, *settings: Any) -> None:
        theirs: Any = super()
        try:
            theirs._init_socket(*settings)  # noqa: SLF001  # py-amqp's, once the host has taken the connection
        except TimeoutError as error:
            msg = "the TLS handshake was not answered"
            raise NoAnswer(msg) from error

    def look(self) -> bool:
        """Whether a whole frame is there, after reading what can be read without waiting.

        Raises:
            OSError: the connection broke.
        """
        # By reading, not by asking: poll knows nothing of what TLS holds, and eventlet takes it away.
        if self._end_of_next() is None:
            with contextlib.suppress(TimeoutError):
                self.receive(0)
        return self._end_of_next() is not None

    def take_frame(self) -> tuple[int, int, bytes] | None:
        """The next frame (type, channel, payload), if it has come as a whole.

        Raises:
            UnexpectedFrame: what has come is no frame.
        """
        end = self._end_of_next()
        if end is None:
            return None
        came, begin = self._came, self._at
        if came[end] != FRAME_END[0]:
            msg = f"Received frame_end {came[end]:#04x} while expecting 0xce"
            raise UnexpectedFrame(msg)
        self._at = end + 1
        kind, channel, _ = FRAME.unpack_from(came, begin)
        return kind, channel, came[begin + 7 : end]

    def receive(self, timeout: float | None) -> None:
        """Reads what there is, and waits for it at most ``timeout`` seconds (0: not at all), or as the socket does.

        Raises:
            NoAnswer: nothing came.
            OSError: the connection broke.
        """
        self.flush()
        sock = self.sock
        before = sock.gettimeout()
        try:
            if timeout is not None:
                sock.settimeout(timeout)
            data = sock.recv(_CHUNK)
        except TimeoutError as error:
            raise NoAnswer(*error.args) from error
        except OSError as error:
            if error.errno in _FOR_NOW or isinstance(error, ssl.SSLWantReadError | ssl.SSLWantWriteError):
                raise NoAnswer from error
            self.connected = False
            raise
        finally:
            sock.settimeout(before)
        if not data:
            self.connected = False
            msg = "Server unexpectedly closed connection"
            raise OSError(msg)
        self._came = self._came[self._at :] + data
        self._at = 0

    def hold(self, data: bytes) -> None:
        """Keeps bytes, to be written with the next ones."""
        self._held.append(data)
        self.held += len(data)

    def write(self, s: Any) -> None:
        """Writes what is held back, and ``s`` after it. Raises OSError."""
        if self._held:
            s = self._take_held() + bytes(s)
        self._corked = False
        theirs: Any = super()
        theirs.write(s)

    def flush(self) -> None:
        """Sends all that is held back. Raises OSError."""
        if self._held:
            self.write(b"")
        elif self._corked:
            self._corked = False
            # Set again, it pushes what waits for more (tcp(7)).
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def push(self) -> None:
        """Hands what is held back on, to leave by itself within 200 ms, or with the next. Raises OSError."""
        self.flush()

    def _take_held(self) -> bytes:
        data = b"".join(self._held)
        self._held.clear()
        self.held = 0
        return data

    def _end_of_next(self) -> int | None:
        begin = self._at + 7
        if len(self._came) < begin:
            return None
        end: int = begin + FRAME.unpack_from(self._came, self._at)[2]
        return end if len(self._came) > end else None


class BufferedTCP(_Buffered, TCPTransport):
    """Plain TCP."""

    def push(self) -> None:
        """See _Buffered."""
        if not self._held:
            return
        self._corked = True
        try:
            self.sock.sendall(self._take_held(), _MORE)
        except TimeoutError:
            raise
        except OSError:
            self.connected = False
            raise


class BufferedTLS(_Buffered, SSLTransport):
    """TLS."""
