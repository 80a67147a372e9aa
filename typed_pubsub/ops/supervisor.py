"""Several subscriber processes, and one that looks after them: it starts them, again if need be, and ends with them.

It imports nothing of the service: what the service's settings say that matters here the children tell.
"""

import logging
import os
import select
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, Protocol

from typed_pubsub.handoff.health import HealthFile, Whole
from typed_pubsub.handoff.signals import Wakeup, handling, stop_signals
from typed_pubsub.ops.children import ChildProcess
from typed_pubsub.ops.restarts import LONGEST_PAUSE, AfterChange, Again, Ended, GiveUp, Verdict, exit_code, judge
from typed_pubsub.ops.supervised import Told

log = logging.getLogger("typed_pubsub.supervisor")

#: Seconds beyond DRAIN_TIMEOUT that a child has for closing its connections, before it is killed.
MARGIN = 5.0
# Until a child has told its own.
_DRAIN_TIMEOUT = 10.0
_TICK = 1.0
_NEVER = float("inf")
_STDERR = 2


class Watcher(Protocol):
    """Tells of changed files; see ``ops.reload``."""

    def watch(self, directories: Iterable[Path]) -> None:
        """Watches these too."""
        ...

    def changes(self) -> list[str]:
        """The files that have changed since it was last asked."""
        ...

    def stop(self) -> None:
        """Watches no more."""
        ...


@dataclass(slots=True)
class Slot:
    """One of the processes: the one that runs now, and when the next one starts (monotonic clock)."""

    number: int
    child: ChildProcess | None = None
    due: float = 0.0
    starts: int = 0
    failures: int = 0


class Supervisor:
    """Runs until it is asked to stop, or no restart would help."""

    def __init__(
        self, processes: int, *, on_read: Callable[[], object], wakeup: Wakeup, watcher: Watcher | None
    ) -> None:
        """``on_read`` is called once, when a child has read its settings; a ``watcher`` calls ``wakeup.now``."""
        self._slots = [Slot(number) for number in range(1, processes + 1)]
        self._on_read: Callable[[], object] | None = on_read
        self._wakeup = wakeup
        self._watcher = watcher
        self._signals: list[int] = []
        self._asked = False
        self._stopping = False
        self._given_up: int | None = None
        self._codes: list[int] = []
        self._health: HealthFile | None = None
        self._unwritable = False
        self._drain_timeout = _DRAIN_TIMEOUT

    def run(self) -> int:
        """The exit code for the whole; in the main thread only."""
        if self._watcher is not None:
            self._watcher.watch([Path.cwd()])
        numbers = (*stop_signals(), signal.SIGUSR1, signal.SIGCHLD)
        with self._wakeup, handling(numbers, lambda number, _frame: self._signals.append(number)):
            try:
                while not (self._stopping and not self._alive()):
                    self._turn()
            finally:
                for child in self._alive():
                    child.kill()
                if self._watcher is not None:
                    self._watcher.stop()
        return self._given_up if self._given_up is not None else exit_code(self._codes)

    def _turn(self) -> None:
        now = time.monotonic()
        for slot in self._slots:
            if slot.child is None and slot.due <= now and not self._stopping:
                self._start(slot)
        self._wait(min([_TICK, *(slot.due - now for slot in self._slots if slot.child is None)]))
        self._obey_signals()
        for slot in self._slots:
            if slot.child is not None:
                self._look_at(slot, slot.child)
        if self._watcher is not None and (changed := self._watcher.changes()) and not self._stopping:
            self._reload(changed)
        self._write_health()

    def _start(self, slot: Slot) -> None:
        slot.starts += 1
        # Of several only the first tells what all do; who works on the code sees it again.
        tells = slot.number == 1 and (slot.starts == 1 or self._watcher is not None)
        try:
            slot.child = ChildProcess(slot.number, len(self._slots), tells=tells)
        except OSError as error:
            slot.due = time.monotonic() + LONGEST_PAUSE
            log.error("process %d cannot be started: %s", slot.number, error)  # noqa: TRY400  # the system's limits
            return
        log.info("process %d started: %d", slot.number, slot.child.pid, extra=_fields(slot))

    def _wait(self, seconds: float) -> None:
        sockets = [child.socket.fileno() for child in self._alive() if child.may_tell]
        select.select([self._wakeup.fileno(), *sockets], [], [], min(max(seconds, 0.0), _TICK))
        self._wakeup.clear()

    def _alive(self) -> list[ChildProcess]:
        return [slot.child for slot in self._slots if slot.child is not None]

    def _obey_signals(self) -> None:
        while self._signals:
            number = signal.Signals(self._signals.pop(0))
            if number == signal.SIGUSR1:
                self._dump()
            elif number != signal.SIGCHLD:
                if self._asked:
                    self._end_at_once(128 + number)
                self._asked = True
                self._stop(f"{number.name}: ")

    def _end_at_once(self, code: int) -> NoReturn:
        for child in self._alive():
            child.kill()
        os._exit(code)

    def _dump(self) -> None:
        told = [f"process {slot.number}: {'none' if slot.child is None else slot.child.pid}" for slot in self._slots]
        os.write(_STDERR, f"supervisor {os.getpid()} of {', '.join(told)}\n".encode())
        for child in self._alive():
            child.signal(signal.SIGUSR1)

    def _stop(self, why: str) -> None:
        self._stopping = True
        alive = self._alive()
        log.info("%sstopping %d processes, which have %g s to drain", why, len(alive), self._drain_timeout)
        self._ask_to_end(alive)

    def _ask_to_end(self, children: Iterable[ChildProcess]) -> None:
        for child in children:
            child.ask_to_end(self._drain_timeout + MARGIN)

    def _look_at(self, slot: Slot, child: ChildProcess) -> None:
        code = child.poll()
        before = child.read
        child.listen()
        if child.read is not None and child.read is not before:
            self._has_read(child.read)
        if code is not None:
            slot.child = None
            child.close()
            self._ended(slot, child, code)
        elif child.is_overdue:
            seconds = self._drain_timeout + MARGIN
            log.warning("process %d (%d) did not end within %g s: killed", slot.number, child.pid, seconds)
            child.kill()

    def _has_read(self, told: Told) -> None:
        self._drain_timeout = told.drain_timeout
        if self._health is None and told.health_file is not None:
            self._health = HealthFile(told.health_file)
        if self._watcher is not None:
            self._watcher.watch(map(Path, told.roots))
        if self._on_read is not None:
            self._on_read()
            self._on_read = None

    def _ended(self, slot: Slot, child: ChildProcess, code: int) -> None:
        lived, how = time.monotonic() - child.started, _told(code)
        if self._stopping:
            self._codes.append(code)
            log.info("process %d (%d) %s", slot.number, child.pid, how)
            return
        if child.end_by is not None:
            slot.due, slot.failures = 0.0, 0
            return
        ended = Ended(code, lived, slot.starts == 1, child.read is not None, slot.failures)
        then = self._obey(judge(ended, reload=self._watcher is not None), slot)
        extra = {"child": slot.number, "child_pid": child.pid, "exit_code": code}
        log.warning("process %d (%d) %s after %.1f s: %s", slot.number, child.pid, how, lived, then, extra=extra)
        if self._given_up is not None:
            self._stop("")

    def _obey(self, verdict: Verdict, slot: Slot) -> str:
        match verdict:
            case Again(pause, failures):
                slot.due, slot.failures = time.monotonic() + pause, failures
                return f"it is started again in {pause:g} s"
            case AfterChange():
                slot.due = _NEVER
                return "it is started again when the code changes"
            case GiveUp(code):
                self._given_up = code
                return "that ends all"

    def _reload(self, changed: list[str]) -> None:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        log.info("%s%s changed: starting anew", os.path.relpath(changed[0]), more)
        self._ask_to_end(self._alive())
        for slot in self._slots:
            slot.due, slot.failures = 0.0, 0

    def _write_health(self) -> None:
        if self._health is None or not self._health.is_due:
            return
        try:
            self._health.write(Whole(time.time(), os.getpid(), len(self._slots)))
        except OSError as error:
            if not self._unwritable:
                log.warning("the health file %r cannot be written: %s", str(self._health.path), error)
            self._unwritable = True


def _fields(slot: Slot) -> dict[str, int]:
    return {"child": slot.number} if slot.child is None else {"child": slot.number, "child_pid": slot.child.pid}


def _told(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
