"""Processes of the demo: each in a process group of its own, which a watchdog ends with the demo, however that ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from typed_pubsub.demo.stopping import in_one_piece
from typed_pubsub.testing.nodes.watchdog import Watchdog


class Process:
    """A Python program of the demo, and what it writes to its log."""

    def __init__(self, arguments: Sequence[str], log: Path, environment: Mapping[str, str], watchdog: Watchdog) -> None:
        self._log = log
        self._watchdog = watchdog
        with log.open("ab") as errors, in_one_piece():
            self._popen = subprocess.Popen(  # noqa: S603  # this Python
                [sys.executable, *arguments],
                cwd=log.parent,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
            watchdog.watch(self.pid)

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
        if self.running:
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
        self._watchdog.forget(self.pid)
        if self._popen.stdout is not None:
            self._popen.stdout.close()
