"""One process of a supervisor: started, asked to end, killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time

import msgspec

from typed_pubsub.ops.supervised import ENVIRONMENT, Place, Told

_MOST_TOLD = 1_048_576


class ChildProcess:
    """A process that runs the same command line as this one, and knows that it is supervised."""

    def __init__(self, number: int, of: int, *, tells: bool) -> None:
        """Starts it. Raises OSError: the system does not allow another process."""
        ours, theirs = socket.socketpair()
        with theirs:
            place = Place(number, of, theirs.fileno(), tells)
            self._process = subprocess.Popen(  # noqa: S603  # what was started by the user, once more
                [sys.executable, *sys.orig_argv[1:]],
                env={**os.environ, ENVIRONMENT: msgspec.json.encode(place).decode()},
                pass_fds=[theirs.fileno()],
            )
        ours.settimeout(0)
        self.socket = ours
        self.pid = self._process.pid
        self.started = time.monotonic()
        self.has_begun = False
        #: What it said of its settings, once it has read them.
        self.read: Told | None = None
        #: When it will be killed (monotonic clock): it was asked to end. None: it was not.
        self.end_by: float | None = None
        #: Whether there may be more to listen to.
        self.may_tell = True
        self._buffer = b""

    def poll(self) -> int | None:
        """Its exit code, a signal's number as a negative one; None: it lives."""
        return self._process.poll()

    def listen(self) -> None:
        """Reads what it has told."""
        with contextlib.suppress(BlockingIOError):
            while got := self._receive():
                self._buffer = (self._buffer + got)[-_MOST_TOLD:]
            self.may_tell = False
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            told = msgspec.json.decode(line, type=Told)
            self.has_begun = True
            if told.state == "read":
                self.read = told

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(65_536)
        except ConnectionError:
            return b""

    def ask_to_end(self, within: float) -> None:
        """Asks it to drain and end, once; ``within`` so many seconds, or it will be overdue."""
        if self.end_by is None:
            self.end_by = time.monotonic() + within
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)

    @property
    def is_overdue(self) -> bool:
        """Whether it was asked to end, and too long ago."""
        return self.end_by is not None and time.monotonic() > self.end_by

    def kill(self) -> None:
        """Ends it at once: what it has in hand comes back."""
        self._process.kill()

    def signal(self, number: signal.Signals) -> None:
        """Passes a signal on, if it takes signals already."""
        if self.has_begun:
            self._process.send_signal(number)

    def close(self) -> None:
        """Forgets it, when it has ended."""
        self.socket.close()
