"""How a command ends that a library error ends."""

import contextlib
import logging
import sys
from collections.abc import Generator

import click

from typed_pubsub.cli.extras import MissingExtra
from typed_pubsub.errors import PubSubError

log = logging.getLogger("typed_pubsub.cli")

#: The exit code for usage and settings.
USAGE = 2


@contextlib.contextmanager
def failing_in_one_line() -> Generator[None]:
    """Ends a click command that a library error ends: with one line and the error's exit code.

    Everything else keeps its traceback, and Python ends the process with 1.
    """
    try:
        yield
    except PubSubError as error:
        log.debug("the error below came from here", exc_info=True)
        click.echo(f"Error: {one_line(error)}", err=True)
        sys.exit(error.exit_code)
    except MissingExtra as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(USAGE)


def one_line(error: PubSubError) -> str:
    """The text of an error, and of its notes, without line breaks."""
    return " ".join("; ".join([str(error), *getattr(error, "__notes__", ())]).split())
