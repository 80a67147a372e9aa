"""Processes of the demo: each in a process group of its own, none of which outlives the demo, however that ends."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

_ROOT = Path(__file__).resolve().parents[2]


def end_with_the_demo() -> None:
    """Called in a process of the demo: it and its children are killed when the demo is gone, even if that was killed.

    The demo holds the other end of stdin and never writes to it.
    """

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


class Process:
    """A Python program of the demo, and what it writes to its log."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self._log = log
        with log.open("ab") as errors:
            self._popen = subprocess.Popen(  # noqa: S603  # this Python
                [sys.executable, *arguments],
                cwd=_ROOT,
                env={**os.environ, **environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def running(self) -> bool:
        return self._popen.poll() is None

    def lines(self) -> Iterator[str]:
        """What it prints, line by line, until it ends."""
        assert self._popen.stdout is not None
        for line in self._popen.stdout:
            yield line.decode()

    def log(self) -> str:
        return self._log.read_text(errors="replace")[-2_000:]

    def kill(self) -> int:
        """Ends it, and its children, without a chance to say goodbye (SIGKILL); its exit code."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        return self._popen.wait()

    def stop(self, timeout: float) -> int:
        """Asks it to end (SIGTERM) and waits; its exit code."""
        self._popen.terminate()
        return self._popen.wait(timeout)

    def wait(self, timeout: float) -> int:
        """Waits for its end; its exit code."""
        return self._popen.wait(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        for pipe in (self._popen.stdin, self._popen.stdout):
            if pipe is not None:
                pipe.close()
