"""SIGTERM, SIGINT and SIGHUP while a subscriber runs: the first asks it to stop, the second ends it at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterable
from types import FrameType, TracebackType
from typing import Self

Handler = Callable[[int, FrameType | None], object] | signal.Handlers


def stop_signals() -> tuple[signal.Signals, ...]:
    """Those that ask a process to stop.

    A terminal that closes hangs up; where nohup wants that to be ignored, it stays so.
    """
    hangup = () if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN else (signal.SIGHUP,)
    return (signal.SIGTERM, signal.SIGINT, *hangup)


@contextlib.contextmanager
def handling(numbers: Iterable[int], handler: Handler) -> Generator[None]:
    """Handles these signals; the handlers before are put back. In the main thread only."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handler_before in before.items():
            signal.signal(number, handler_before)


@contextlib.contextmanager
def stopping_on_signals(stop: Callable[[], None]) -> Generator[None]:
    """Calls ``stop`` on the first signal; exits with 128 + its number on the second.

    Does nothing outside of the main thread, where Python allows no handlers. The handlers before are put back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    asked = False

    def handle(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            # Not sys.exit: whatever is under way, a hanging call too, ends here. What is unacknowledged comes back.
            os._exit(128 + number)
        asked = True
        stop()

    with handling(stop_signals(), handle):
        yield


class Wakeup:
    """Something that ``select`` can wait for: a signal, inside of ``with wakeup``, or ``now`` from any thread."""

    def __init__(self) -> None:
        """A pipe."""
        self._read, self._write = os.pipe()
        os.set_blocking(self._read, False)
        os.set_blocking(self._write, False)

    def __enter__(self) -> Self:
        """Signals wake from now on; in the main thread only."""
        self._before = signal.set_wakeup_fd(self._write, warn_on_full_buffer=False)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Signals wake no more."""
        signal.set_wakeup_fd(self._before)

    def fileno(self) -> int:
        """For ``select``."""
        return self._read

    def now(self) -> None:
        """Wakes whoever waits."""
        # A full pipe wakes as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._write, b"\0")

    def clear(self) -> None:
        """Until the next one."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._read, 4_096):
                pass
