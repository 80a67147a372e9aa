"""Programs that are measured: each a process of its own, so that CPU and memory are its own."""

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_START = 60.0
_STDERR_TAIL = 2_000


class ChildError(RuntimeError):
    """A program did not do what it was started for."""


class Child:
    """A program that says a line, is told a line, and is killed at the end of the ``with`` block (Linux)."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the child
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **(environment or {})},
            bufsize=0,
        )
        self._rest = b""
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                stream.close()

    def check(self) -> None:
        """Raises ChildError if it has ended."""
        if self._process.poll() is not None:
            raise self.failure("ended")

    def line(self, timeout: float = _START) -> str:
        """The next line that it says."""
        deadline = time.monotonic() + timeout
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise self.failure(f"said nothing for {timeout:.0f} s")
            read = os.read(self._process.stdout.fileno(), 1 << 20)
            if not read:
                raise self.failure("ended")
            self._rest += read
        line, self._rest = self._rest.split(b"\n", 1)
        return line.decode()

    def told(self, timeout: float = 300.0) -> Any:
        """The next line, which is JSON."""
        return json.loads(self.line(timeout))

    def expect(self, word: str, timeout: float = _START) -> None:
        """The next line has to be this word."""
        if (line := self.line(timeout)) != word:
            raise self.failure(f"said {line!r}, not {word!r}")

    def say(self, line: str) -> None:
        """Tells it a line."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode() + b"\n")

    def pause(self) -> None:
        """Freezes it, its connections open."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Lets it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def cpu(self) -> float:
        """Seconds of CPU that it has used, all threads."""
        return cpu_of(self.pid)

    def peak_rss(self) -> float:
        """The most memory that it ever had resident, in MB."""
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0.0

    def failure(self, what: str) -> ChildError:
        """The error to raise, with the end of what it said about errors."""
        self._errors.seek(0)
        said = self._errors.read()[-_STDERR_TAIL:].decode(errors="replace")
        return ChildError(f"{' '.join(self._command_words())} {what}\n{said}")

    def _command_words(self) -> list[str]:
        words = self._process.args
        return [str(word)[:80] for word in words] if isinstance(words, (list, tuple)) else [str(words)]


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used: its CPU clock, which Linux numbers after its id."""
    return time.clock_gettime((~pid << 3) | 2)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of the benchmark."""
    return [sys.executable, "-m", f"benchmarks.{module}", *arguments]
