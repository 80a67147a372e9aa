"""The subscriber as a command: what every face does between its own options and its own way to fail."""

import contextlib
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator
from types import FrameType

import click

from typed_pubsub.cli.logs import configure_logging
from typed_pubsub.config import PubSubConfig
from typed_pubsub.subscriber import Subscriber

log = logging.getLogger("typed_pubsub.cli")

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def run_subscriber(
    read_config: Callable[[], PubSubConfig],
    *,
    log_level: str | None = None,
    log_format: str | None = None,
    before_batch: Callable[[], None] | None = None,
    echo: Callable[[str], object] = click.echo,
) -> None:
    """Sets up logging, reads the settings, says "Starting subscriber..." and consumes until it is asked to stop.

    Args:
        read_config: gives the settings; what it raises is reported as this call's own.
        log_level: see LEVELS; None: info, or what the service's own logging says.
        log_format: see FORMATS; None: text, or what the service's own logging says.
        before_batch: called before the routes run on what has come.
        echo: prints a line to standard output.

    Raises:
        PubSubError: with the ``exit_code`` that the face is to end with.
        SystemExit: of code 0: asked to stop before consuming had begun.
    """
    configure_logging(log_level, log_format)
    with _leaving_on_signals() as asked:
        subscriber = Subscriber(read_config(), before_batch=before_batch)
        echo("Starting subscriber...")
        asked.then(subscriber.stop)
        subscriber.start()
        log.info("stopped as asked: %s", ", ".join(f"{n} {what}" for what, n in subscriber.outcomes.items()) or "idle")


class _Asked:
    """Whether a signal has asked the process to end, and what else that calls."""

    def __init__(self) -> None:
        self.yet = False
        self._calls: list[Callable[[], None]] = []

    def then(self, call: Callable[[], None]) -> None:
        """Calls it with the first signal; at once, if that has come."""
        self._calls.append(call)
        if self.yet:
            call()

    def now(self) -> None:
        """The first signal has come."""
        self.yet = True
        for call in self._calls:
            call()


@contextlib.contextmanager
def _leaving_on_signals() -> Generator[_Asked]:
    """While settings are read and modules imported a signal ends the process, all well; the subscriber has its own."""
    asked = _Asked()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        if asked.yet:
            os._exit(128 + number)
        asked.now()
        # Python swallows it where an import has just ended and its lock goes; then what was asked for first holds.
        sys.exit(0)

    before = {number: signal.signal(number, leave) for number in _SIGNALS}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
