"""SIGUSR1: where the handler is, what is in hand, where other threads are, on standard error. Nothing else happens."""

import contextlib
import faulthandler
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from types import FrameType

_STDERR = 2
_LIBRARY = str(Path(__file__).parents[1]) + os.sep


@contextlib.contextmanager
def telling_on_usr1(in_hand: Callable[[], object]) -> Generator[None]:
    """Tells of the main thread's stack, of the text of ``in_hand``, and of other threads, each time the signal comes.

    Handlers run in the main thread: its stack comes first and whole, and is told even by a process that hangs in code
    that is not Python's. Does nothing outside of the main thread, where Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def tell(_number: int, _frame: FrameType | None) -> None:
        # Not print: the signal may have come in the middle of one.
        with contextlib.suppress(OSError):
            text = "\n".join([str(in_hand()), *_other_threads(), ""])
            os.write(_STDERR, text.encode(errors="backslashreplace"))

    before = signal.signal(signal.SIGUSR1, tell)
    faulthandler.register(signal.SIGUSR1, file=_STDERR, all_threads=False, chain=True)
    try:
        yield
    finally:
        faulthandler.unregister(signal.SIGUSR1)
        signal.signal(signal.SIGUSR1, before)


def _other_threads() -> Iterator[str]:
    """The stacks of threads that others have started, then a line for each of the library's own."""
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    frames = sys._current_frames()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # its documented name
    del frames[threading.get_ident()]
    stacks = [(names.get(ident, str(ident)), _stack(frame)) for ident, frame in frames.items()]
    for name, stack in stacks:
        if not _is_own(stack):
            yield f"Thread {name!r} (most recent call first):"
            yield from (f'  File "{file}", line {line} in {function}' for file, line, function in stack)
    for name, stack in stacks:
        if _is_own(stack):
            yield f"Thread {name!r}, of typed_pubsub: {_innermost(stack)}"


def _stack(frame: FrameType) -> list[tuple[str, int, str]]:
    return [(at.f_code.co_filename, line, at.f_code.co_name) for at, line in traceback.walk_stack(frame)]


def _is_own(stack: list[tuple[str, int, str]]) -> bool:
    """Whether the first thing that the thread did is the library's code."""
    begun = [file for file, _, _ in stack if file != threading.__file__]
    return bool(begun) and begun[-1].startswith(_LIBRARY)


def _innermost(stack: list[tuple[str, int, str]]) -> str:
    """The calls from the innermost to the first one of the library's own."""
    told: list[str] = []
    for file, line, function in stack:
        told.append(f"{function} ({Path(file).name}:{line})")
        if file.startswith(_LIBRARY):
            break
    return " < ".join(told)
