"""What every private server shares: processes under a watchdog, ports of its own, a directory that goes with it."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeAlias

from typed_pubsub.testing.nodes.watchdog import Watchdog

Word: TypeAlias = str | Path

LOOPBACK: Final = "127.0.0.1"
#: Servers take their ports in blocks, below the range from which Linux takes those of outgoing connections.
_PORTS: Final = range(20_000, 32_000, 16)
_TRIES: Final = 3
_LOG_TAIL: Final = 6_000
POLL: Final = 0.02
_LAST_WRITES: Final = 5.0


class NodeError(RuntimeError):
    """A server is not there, did not start, or one of its tools failed; the message has the end of its log."""


class Node(ABC):
    """A server process of one's own: started on entry, stopped at once and its data removed on exit."""

    def __init__(self, *, start_timeout: float = 60.0) -> None:
        self._start_timeout = start_timeout
        self._directory: Path | None = None
        self._watchdog: Watchdog | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._base_port = 0

    def __enter__(self) -> Self:
        if reason := self._unavailable():
            raise NodeError(reason)
        for left in reversed(range(_TRIES)):
            try:
                self._open()
                self.start()
            except NodeError as error:
                self.close()
                # Two nodes that start at one time may have picked the same ports.
                if not left or "in use" not in str(error).replace("eaddrinuse", "in use"):
                    raise
            except BaseException:
                self.close()
                raise
            else:
                break
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def port(self) -> int:
        """The port on which clients connect: the same over every start."""
        return self._base_port

    @property
    def directory(self) -> Path:
        """Where the node keeps its data, its settings and its log."""
        if self._directory is None:
            raise NodeError(f"{type(self).__name__} is not open: use it in a with statement")
        return self._directory

    @property
    def running(self) -> bool:
        """Whether the server's process lives (a paused one does)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    def start(self) -> None:
        """Start the server, on the data that an earlier run left, and wait until it answers."""
        if self.running:
            raise NodeError(f"{type(self).__name__} is running already")
        process = self._process = self._spawn()
        deadline = time.monotonic() + self._start_timeout
        while not self._answers():
            if process.poll() is not None:
                raise self._failure("stopped while starting")
            if time.monotonic() > deadline:
                self.kill()
                raise self._failure(f"did not answer within {self._start_timeout:.0f} s")
            time.sleep(POLL)

    def kill(self) -> None:
        """End the server without a chance to say goodbye, as a crash would (SIGKILL)."""
        self._end(signal.SIGKILL)

    def stop(self, *, timeout: float = 30.0) -> None:
        """End the server in order (SIGTERM); one that takes longer than ``timeout`` is killed."""
        if self.running:
            self.resume()
        with suppress(subprocess.TimeoutExpired):
            self._end(signal.SIGTERM, timeout)
        self.kill()

    def restart(self) -> None:
        """``stop()`` and ``start()``."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): its connections stay open and nothing answers."""
        os.killpg(self._running().pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on (SIGCONT)."""
        os.killpg(self._running().pid, signal.SIGCONT)

    @contextmanager
    def paused(self) -> Generator[None]:
        """Freeze the server for the length of a ``with`` block."""
        self.pause()
        try:
            yield
        finally:
            self.resume()

    def close(self) -> None:
        """Kill the server and remove all it left on disk."""
        self.kill()
        if self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None
        if self._directory is not None:
            # What was killed may still be at its last write.
            deadline = time.monotonic() + _LAST_WRITES
            while self._directory.exists() and time.monotonic() < deadline:
                shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def log(self) -> str:
        """The end of what the server has written to its log."""
        path = self.directory / "log"
        return path.read_bytes()[-_LOG_TAIL:].decode(errors="replace") if path.exists() else ""

    @abstractmethod
    def _unavailable(self) -> str | None: ...

    @abstractmethod
    def _prepare(self, directory: Path) -> None:
        """Write the server's settings into its directory."""

    @abstractmethod
    def _command(self) -> Sequence[Word]: ...

    def _environment(self) -> Mapping[str, str]:
        return os.environ

    @abstractmethod
    def _answers(self) -> bool: ...

    def _open(self) -> None:
        self._directory = Path(tempfile.mkdtemp(prefix="typed-pubsub-"))
        self._base_port = _free_ports()
        self._watchdog = Watchdog(self._directory)
        self._prepare(self._directory)

    def _spawn(self) -> subprocess.Popen[bytes]:
        return self._run(self._command(), "log")

    def _run(self, command: Sequence[Word], log: str) -> subprocess.Popen[bytes]:
        """Run a program in a process group of its own, under the watchdog's eye."""
        with (self.directory / log).open("ab") as output:
            process = subprocess.Popen(
                command,
                cwd=self.directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if self._watchdog is not None:
            self._watchdog.watch(process.pid)
        return process

    def _end(self, number: signal.Signals, timeout: float | None = None) -> None:
        if self._process is not None:
            self._end_process(self._process, number, timeout)
            self._process = None

    def _end_process(
        self, process: subprocess.Popen[bytes], number: signal.Signals, timeout: float | None = None
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(timeout)
        if self._watchdog is not None:
            self._watchdog.forget(process.pid)

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            raise NodeError(f"{type(self).__name__} is not running")
        return self._process

    def _failure(self, what: str) -> NodeError:
        return NodeError(f"{type(self).__name__} on port {self.port} {what}; the end of its log:\n{self.log()}")


def _free_ports() -> int:
    """The first of a block of ports that nothing listens on."""
    for base in random.sample(_PORTS, 100):
        with ExitStack() as held, suppress(OSError):
            for port in range(base, base + _PORTS.step):
                listener = held.enter_context(socket.socket())
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((LOOPBACK, port))
            return base
    raise NodeError("no free block of ports on 127.0.0.1")


def listens(port: int) -> bool:
    """Whether something listens on the port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def asks(port: int, request: bytes) -> bytes:
    """The first bytes that a server answers, or none."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=5) as connection:
            connection.sendall(request)
            return connection.recv(64)
    except OSError:
        return b""
