"""SIGTERM and SIGINT while a subscriber runs: the first asks it to stop, the second ends the process at once."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


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

    before = {number: signal.signal(number, handle) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
