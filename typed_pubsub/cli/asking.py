"""Questions before what cannot be undone, and being asked to stop."""

import contextlib
import sys
from collections.abc import Generator
from threading import Event

import click


def confirm(question: str, *, yes: bool) -> None:
    """Asks on the terminal, unless ``--yes`` was given.

    Raises:
        click.Abort: the answer is no.
        click.UsageError: nobody can be asked.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"{question} Nobody can be asked here: say --yes.")
    click.confirm(question, abort=True, err=True)


@contextlib.contextmanager
def until_asked() -> Generator[Event]:
    """What the first SIGINT or SIGTERM sets; the second one ends the process with 128 + its number."""
    from typed_pubsub.handoff.signals import stopping_on_signals

    asked = Event()
    with stopping_on_signals(asked.set):
        yield asked
