"""Child processes whose output is waited for, line by line."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).resolve().parents[2]
_PASSED_ON = ("HOME", "LANG", "PATH", "TMPDIR", "COVERAGE_PROCESS_START")


def environment(*import_from: Path, **more: str) -> dict[str, str]:
    """What a child gets: this repository and the given directories to import from, nothing of the caller's settings."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return kept | {
        "PYTHONPATH": os.pathsep.join(map(str, (*import_from, ROOT))),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


class Child:
    """A Python process; its lines on stdout and stderr, in the order in which they came. Killed on exit."""

    def __init__(
        self, *args: str, cwd: Path, env: Mapping[str, str] | None = None, input_from_test: bool = False
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, *args],
            cwd=cwd,
            env=dict(env) if env is not None else environment(cwd),
            stdin=subprocess.PIPE if input_from_test else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self.lines: list[str] = []
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self._process.stdout, self.stdout), (self._process.stderr, self.stderr))
            if stream is not None
        ]
        for reader in self._readers:
            reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self.wait()

    @property
    def output(self) -> str:
        """All that it has said so far."""
        return "\n".join(self.lines)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def wait_for(self, *texts: str, count: int = 1, timeout: float = 60.0) -> list[str]:
        """Waits until ``count`` lines hold each of the texts; returns all lines that do."""

        def found() -> list[str]:
            return [line for line in self.lines if all(text in line for text in texts)]

        deadline = time.monotonic() + timeout
        with self._changed:
            while len(found()) < count:
                left = deadline - time.monotonic()
                assert left > 0, f"{texts} did not come within {timeout} s; it said:\n{self.output}"
                assert self.alive or any(reader.is_alive() for reader in self._readers) or len(found()) >= count, (
                    f"it ended with {self._process.poll()} before it said {texts}:\n{self.output}"
                )
                self._changed.wait(min(left, 0.2))
            return found()

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def write(self, text: str) -> None:
        """Something on its stdin, which it has where ``input_from_test`` is set."""
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def terminate(self) -> int:
        """SIGTERM; its exit code."""
        self.signal(signal.SIGTERM)
        return self.wait()

    def wait(self, timeout: float = 60.0) -> int:
        """Waits for its end and the last of its lines; its exit code."""
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            message = f"it did not end within {timeout} s; it said:\n{self.output}"
            raise AssertionError(message) from None
        for reader in self._readers:
            reader.join(timeout)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
        return code

    def _read(self, stream: IO[str], lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()


def run(*args: str, cwd: Path, env: Mapping[str, str] | None = None) -> Child:
    """A child that has ended by itself: ``code`` is what ``wait()`` gives again."""
    with Child(*args, cwd=cwd, env=env) as child:
        child.wait()
    return child


def worker(module: str, *options: str, cwd: Path, env: Mapping[str, str] | None = None) -> Child:
    """A Celery worker for the app of a module, in one process."""
    quiet: Sequence[str] = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    return Child("-m", "celery", "-A", module, "worker", "-P", "solo", "-l", "INFO", *quiet, *options, cwd=cwd, env=env)
