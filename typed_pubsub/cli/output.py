"""Standard output that nobody reads any more, that is full, or that was never there: each ends in one way."""

import contextlib
import io
import os
import signal
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any, NoReturn, TextIO

import click

#: The exit code where nobody reads any more (``| head``), as the shell tells it of other programs.
UNREAD = 128 + signal.SIGPIPE


class Unwritable(Exception):
    """A standard stream does not take what is written to it.

    No OSError: those are a connection's, to whoever has one open.
    """

    def __init__(self, why: OSError) -> None:
        """``why``: what the system says."""
        super().__init__(f"standard output: {why.strerror}")
        self.unread = isinstance(why, BrokenPipeError)


class _Output(io.FileIO):
    """The file of standard output."""

    def write(self, data: Any, /) -> Any:
        """See FileIO. Raises Unwritable instead of OSError."""
        try:
            return super().write(data)
        except OSError as error:
            raise Unwritable(error) from error


@contextlib.contextmanager
def ending_with_output() -> Generator[None]:
    """Ends a command whose output cannot be written: quietly where nobody reads it, else with a line, exit code 1."""
    watch_output()
    try:
        yield
    except Unwritable as error:
        if not error.unread:
            click.echo(f"Error: {error}", err=True)
        _leave(UNREAD if error.unread else 1)
    except BrokenPipeError:
        # Standard error's: click, too, takes it for nothing else.
        _leave(UNREAD)


def watch_output() -> None:
    """Standard output raises Unwritable from now on.

    What is written to a standard stream that was closed from the start is lost, and no other file gets its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # As long as the process is.
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115
    out = sys.stdout
    # Whatever else stands there is not the process's own: a test's, or that of who calls the command from code.
    if out is sys.__stdout__ and isinstance(out, io.TextIOWrapper):
        sys.stdout = io.TextIOWrapper(
            io.BufferedWriter(_Output(out.fileno(), "w", closefd=False)),
            encoding=out.encoding,
            errors=out.errors,
            line_buffering=out.line_buffering,
            write_through=out.write_through,
        )


def _leave(code: int) -> NoReturn:
    # What is still buffered would be written, and told about, when Python ends.
    for stream in (sys.stdout, sys.stderr):
        _to_nowhere(stream)
    sys.exit(code)


def _to_nowhere(stream: TextIO) -> None:
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
