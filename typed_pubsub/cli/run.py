"""The subscriber as a command: what every face does between its own options and its own way to fail."""

import contextlib
import dataclasses
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Generator
from types import FrameType
from typing import Any

import click

from typed_pubsub.cli import banner
from typed_pubsub.cli.dumping import telling_on_usr1
from typed_pubsub.cli.logs import configure_logging
from typed_pubsub.cli.options import RunOptions
from typed_pubsub.cli.supervise import supervise_if_asked, this_supervised
from typed_pubsub.config import PubSubConfig
from typed_pubsub.handoff.health import file_of
from typed_pubsub.handoff.signals import handling, stop_signals
from typed_pubsub.ops.supervised import Supervised, Told
from typed_pubsub.ops.supervisor import MARGIN
from typed_pubsub.ops.wiring import Wiring, wiring
from typed_pubsub.subscriber import Subscriber

log = logging.getLogger("typed_pubsub.cli")

# Seconds after a supervisor, if it is there, would have killed this process.
_LATER = 1.0


def run_subscriber(
    read_config: Callable[[], PubSubConfig],
    options: RunOptions | None = None,
    *,
    before_batch: Callable[[], None] | None = None,
    echo: Callable[[str], object] = click.echo,
) -> None:
    """Sets up logging, reads the settings, says "Starting subscriber..." and consumes until it is asked to stop.

    With several processes, or ``reload``, this one only looks after those that do so: see ``supervise_if_asked``.

    Args:
        read_config: gives the settings; what it raises is reported as this call's own.
        options: see RunOptions.
        before_batch: called before the routes run on what has come.
        echo: prints a line to standard output.

    Raises:
        PubSubError: with the ``exit_code`` that the face is to end with.
        SystemExit: of code 0: asked to stop before consuming had begun; or of a supervisor's code.
    """
    options = options if options is not None else RunOptions()
    supervise_if_asked(options, echo)
    supervised = this_supervised()
    number = supervised.place.number if supervised is not None and supervised.place.of > 1 else None
    form = configure_logging(options.log_level, options.log_format, number)
    asked = _Asked()
    with telling_on_usr1(lambda: asked.of or "not consuming yet"), _leaving_on_signals(asked):
        if supervised is not None:
            supervised.when_asked_to_end(asked.by_supervisor)
            supervised.tell(Told("begun"))
        settings = read_config()
        config = _for_this_process(settings, supervised)

        def show(app: Any) -> None:
            if supervised is None or supervised.place.tells:
                _show(wiring(config, subscriber.routes, app, 1 if supervised is None else supervised.place.of), form)

        subscriber = Subscriber(config, before_batch=before_batch, on_start=show, stats=options.stats)
        if supervised is None:
            echo("Starting subscriber...")
        else:
            supervised.tell(_has_read(settings, reload=options.reload))
        asked.then(subscriber)
        subscriber.start()
        log.info("stopped as asked: %s", ", ".join(f"{n} {what}" for what, n in subscriber.outcomes.items()) or "idle")


class _Asked:
    """Whether something has asked the process to end: a signal, or its supervisor; and what is to stop then."""

    def __init__(self) -> None:
        self.yet = False
        self.of: Subscriber | None = None

    def then(self, subscriber: Subscriber) -> None:
        """Stops it when the process is asked to end; at once, if that has come."""
        self.of = subscriber
        if self.yet:
            subscriber.stop()

    def now(self) -> None:
        """The first signal has come."""
        self.yet = True
        if self.of is not None:
            self.of.stop()

    def by_supervisor(self) -> None:
        """The supervisor wants that, or is gone."""
        if self.of is None:
            # Nothing is in hand, and whatever the main thread imports just now is of no use any more.
            os._exit(0)
        self.now()
        # Nobody kills it if the supervisor is gone and a handler never comes back.
        time.sleep(self.of.config.drain_timeout + MARGIN + _LATER)
        os._exit(1)


@contextlib.contextmanager
def _leaving_on_signals(asked: _Asked) -> Generator[None]:
    """While settings are read and modules imported a signal ends the process, all well; the subscriber has its own."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: FrameType | None) -> None:
        if asked.yet:
            os._exit(128 + number)
        asked.now()
        # Python swallows it where an import has just ended and its lock goes; then what was asked for first holds.
        sys.exit(0)

    with handling(stop_signals(), leave):
        yield


def _for_this_process(config: PubSubConfig, supervised: Supervised | None) -> PubSubConfig:
    """The settings, but for the health file: the supervisor's is that of the whole."""
    if supervised is None or config.health_file is None:
        return config
    return dataclasses.replace(config, health_file=file_of(config.health_file, supervised.place.number))


def _has_read(config: PubSubConfig, *, reload: bool) -> Told:
    """What the supervisor has to know of the settings, and with ``reload`` of the code."""
    roots: tuple[str, ...] = ()
    if reload:
        from typed_pubsub.ops.reload import imported_roots

        roots = tuple(map(str, imported_roots()))
    return Told("read", config.drain_timeout, config.health_file, roots)


def _show(told: Wiring, form: str | None) -> None:
    if not log.isEnabledFor(logging.INFO):
        return
    if form == "text":
        click.echo(banner.text(told, banner.width_of_stderr()), err=True)
    else:
        # One line, whoever writes it.
        log.info("%s", banner.summary(told), extra=banner.fields(told))
