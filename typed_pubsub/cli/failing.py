"""How a command ends that a library error ends."""

import contextlib
import logging
import signal
import sys
from collections.abc import Generator

import click

from typed_pubsub.cli.extras import MissingExtra
from typed_pubsub.cli.output import ending_with_output
from typed_pubsub.errors import PubSubError
from typed_pubsub.texts import printable

log = logging.getLogger("typed_pubsub.cli")

#: The exit code for usage and settings.
USAGE = 2
#: The exit code after Ctrl-C.
INTERRUPTED = 128 + signal.SIGINT


@contextlib.contextmanager
def failing_in_one_line() -> Generator[None]:
    """Ends a click command that a library error ends, with one line and the error's exit code; see also ``output``.

    Everything else keeps its traceback, and Python ends the process with 1.
    """
    try:
        with ending_with_output():
            yield
    except PubSubError as error:
        log.debug("the error below came from here", exc_info=True)
        click.echo(f"Error: {one_line(error)}", err=True)
        sys.exit(error.exit_code)
    except MissingExtra as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(USAGE)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def one_line(error: PubSubError) -> str:
    """The text of an error, and of its notes, without line breaks."""
    return printable(" ".join("; ".join([str(error), *getattr(error, "__notes__", ())]).split()))
