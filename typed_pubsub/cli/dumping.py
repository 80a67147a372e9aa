"""SIGUSR1: what every thread is at, and what is in hand, on standard error. Nothing else happens."""

import contextlib
import faulthandler
import os
import signal
import threading
from collections.abc import Callable, Generator
from types import FrameType

_STDERR = 2


@contextlib.contextmanager
def telling_on_usr1(in_hand: Callable[[], object]) -> Generator[None]:
    """Tells of the stacks, and then the text of what ``in_hand`` gives, each time the signal comes.

    The stacks are told even by a process that hangs in code that is not Python's. Does nothing outside of the main
    thread, where Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def tell(_number: int, _frame: FrameType | None) -> None:
        # Not print: the signal may have come in the middle of one.
        with contextlib.suppress(OSError):
            os.write(_STDERR, f"{in_hand()}\n".encode())

    before = signal.signal(signal.SIGUSR1, tell)
    faulthandler.register(signal.SIGUSR1, file=_STDERR, all_threads=True, chain=True)
    try:
        yield
    finally:
        faulthandler.unregister(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, before)
