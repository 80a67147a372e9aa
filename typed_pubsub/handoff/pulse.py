"""Heartbeats while the user's code runs: a handler may take longer than a broker waits for a sign of life.

A broker closes a connection from which it has heard nothing for two heartbeats. What was in hand would then come again,
to the same slow handler, and again: no progress, ever.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Final

_LOOK_EVERY: Final = 0.25


class Pulse:
    """A thread that calls ``beats`` now and then, only inside of ``with pulse``: connections belong to one thread.

    ::

        with pulse:
            handler(event)    # as slow as it likes
    """

    def __init__(self, beats: Sequence[Callable[[], None]]) -> None:
        """Nothing runs before ``start``; what a beat raises is left to the loop to meet."""
        self._beats = beats
        self._turn = threading.Lock()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """The calling thread is from now on the one that uses the connections."""
        self._turn.acquire()
        self._ended.clear()
        self._thread = threading.Thread(target=self._run, name="typed_pubsub-pulse", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        if self._thread is not None:
            self._ended.set()
            self._turn.release()
            self._thread.join()
            self._thread = None

    def __enter__(self) -> None:
        """Lends the connections to the thread."""
        if self._thread is not None:
            self._turn.release()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Takes them back: no beat is under way any more."""
        if self._thread is not None:
            self._turn.acquire()

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_EVERY):
            if self._turn.acquire(blocking=False):
                try:
                    for beat in self._beats:
                        # Whatever it is, the next beat may go well, and the loop meets what is broken by itself.
                        with contextlib.suppress(Exception):
                            beat()
                finally:
                    self._turn.release()
