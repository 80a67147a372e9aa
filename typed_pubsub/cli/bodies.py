"""A body on the command line: JSON as it is, ``-`` for standard input, or ``@FILE``."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click


def body_lines(body: str) -> Iterator[bytes]:
    """The lines of what the argument names, read as they are asked for.

    Raises:
        click.BadParameter: the file cannot be read.
    """
    if body == "-":
        yield from sys.stdin.buffer
    elif body.startswith("@"):
        path = Path(body[1:])
        try:
            with path.open("rb") as file:
                yield from file
        except OSError as error:
            raise click.BadParameter(f"{str(path)!r} cannot be read: {error.strerror}", param_hint="JSON") from error
    else:
        yield body.encode(errors="surrogateescape")
