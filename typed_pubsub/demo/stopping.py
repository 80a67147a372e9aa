"""Signals that end the demo, wherever it is: but behind a step that, torn, would leave something behind."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, or asked the process to end."""


class _State:
    whole = False
    asked: int | None = None


_state = _State()


def stop_on_signals() -> None:
    """The first signal raises Stopped, with its number; tidying up takes a second, and no further one interrupts it."""
    for number in _SIGNALS:
        signal.signal(number, _stop)


@contextmanager
def in_one_piece() -> Generator[None]:
    """A step that a signal does not tear: it is raised behind it."""
    _state.whole = True
    try:
        yield
    finally:
        _state.whole = False
        asked, _state.asked = _state.asked, None
        if asked is not None:
            raise Stopped(asked)


def _stop(number: int, _frame: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    if not _state.whole:
        raise Stopped(number)
    _state.asked = number
