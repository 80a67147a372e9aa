"""A TCP proxy in front of a broker, through which a test breaks connections and counts frames."""

import contextlib
import socket
import struct
import threading
import time
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit, urlunsplit

ACK = (60, 80)
PUBLISH = (60, 40)


class Proxy:
    """Forwards to the host of ``url``; ``proxy.url`` is the same address through it.

    ``hold_up`` (towards the broker) and ``hold_down`` keep what comes from then on, the connections stay open, and
    ``kept`` is set once something is kept; ``silent_after`` is a method after which the broker's answers are held;
    ``latency`` (seconds) and ``rate`` (bytes a second) slow down either direction; while ``refusing`` nobody is let in.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._closed = False
        self.pass_up, self.pass_down = threading.Event(), threading.Event()
        self.pass_up.set()
        self.pass_down.set()
        self.silent_after: tuple[int, int] | None = None
        self.latency = 0.0
        self.rate: int | None = None
        self.refusing = False
        self.connections = 0
        self.kept = threading.Event()
        self._up: list[bytearray] = []
        user, at, _ = self._target.netloc.rpartition("@")
        host = f"{user}{at}127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = urlunsplit(self._target._replace(netloc=host))
        self._run(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Nobody listens any more."""
        self._closed = True
        self.pass_up.set()
        self.pass_down.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join(10)

    def hold_up(self) -> None:
        self.kept.clear()
        self.pass_up.clear()

    def hold_down(self) -> None:
        self.kept.clear()
        self.pass_down.clear()

    def release(self) -> None:
        self.pass_up.set()
        self.pass_down.set()

    def refuse(self) -> None:
        """Resets every connection, and every new one at once."""
        self.refusing = True
        self.cut()

    def accept(self) -> None:
        """Lets clients in again."""
        self.refusing = False

    def cut(self) -> None:
        """Resets every connection; what was held is lost."""
        with self._lock:
            sockets, self._sockets = self._sockets, []
        for sock in sockets:
            _reset(sock)

    def methods(self, wanted: tuple[int, int]) -> list[bytes]:
        """The payloads of the method frames of this kind that clients have sent, over every connection."""
        with self._lock:
            streams = [bytes(stream) for stream in self._up]
        found: list[bytes] = []
        for stream in streams:
            at = 8
            while at + 7 <= len(stream):
                kind, _, size = struct.unpack_from(">BHI", stream, at)
                payload = stream[at + 7 : at + 7 + size]
                if kind == 1 and len(payload) == size and struct.unpack_from(">HH", payload) == wanted:
                    found.append(payload[4:])
                at += 8 + size
        return found

    def acks(self) -> list[tuple[int, bool]]:
        """Every acknowledgement that clients have sent: delivery tag, multiple."""
        return [(struct.unpack_from(">Q", payload)[0], bool(payload[8] & 1)) for payload in self.methods(ACK)]

    def _accept(self) -> None:
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.refusing:
                _reset(client)
                continue
            try:
                server = socket.create_connection((self._target.hostname or "", self._target.port or 5672), timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            stream = bytearray()
            with self._lock:
                self.connections += 1
                self._sockets += [client, server]
                self._up.append(stream)
            self._run(lambda a=client, b=server, s=stream: self._pump(a, b, self.pass_up, s))
            self._run(lambda a=server, b=client: self._pump(a, b, self.pass_down, None))

    def _pump(self, source: socket.socket, to: socket.socket, may: threading.Event, record: bytearray | None) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(self._at_once()):
                if record is not None:
                    with self._lock:
                        record += data
                    if self.silent_after is not None and struct.pack(">HH", *self.silent_after) in data:
                        self.pass_down.clear()
                if not may.is_set():
                    self.kept.set()
                    may.wait()
                time.sleep(self.latency + (len(data) / self.rate if self.rate else 0))
                to.sendall(data)
        with contextlib.suppress(OSError):
            to.shutdown(socket.SHUT_WR)

    def _at_once(self) -> int:
        # A tenth of a second's worth, so that a slow line is slow and not one long silence.
        return 65_536 if self.rate is None else max(self.rate // 10, 1)

    def _run(self, target: object) -> None:
        assert callable(target)
        thread = threading.Thread(target=target, daemon=True)
        self._threads.append(thread)
        thread.start()


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
    sock.close()
