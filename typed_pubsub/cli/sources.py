"""``typed-pubsub schema generate`` and ``infer``: event classes from contracts, and from recorded bodies."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from typed_pubsub.events.keys import KeyTemplate

# What tells a recorded message from a body.
_RECORDED = {"routing_key", "exchange", "received", "headers", "properties"}

_output_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    show_envvar=True,
    help="Where to write the module. Default: standard output.",
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--struct",
    is_flag=True,
    show_envvar=True,
    help="Make StructEvent classes (msgspec) instead of Event classes (pydantic).",
)
@_output_option
def generate(files: Sequence[Path], struct: bool, output: Path | None) -> None:  # noqa: FBT001  # a flag
    """Make a module of event classes from schema FILES, for those who do not have the publisher's package.

    The same files give the same bytes. What cannot be said in a class is told in a comment; where that would change
    what is accepted, each such file is named with the places and the reasons (2), and nothing is written.

    \b
    typed-pubsub schema generate schemas/shop.order.placed/*.json -o shop_events.py
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.schema.generate import generate as generated

    schemas = _checked(files, lambda path: _sayable(path, struct=struct))
    put(generated(schemas, struct=struct), output)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
@click.option(
    "--key",
    required=True,
    metavar="KEY",
    show_envvar=True,
    help="The routing key, words of it as {field}: shop.{shop}.sold.",
)
@click.option(
    "--name", metavar="CLASS", show_envvar=True, help="The name of the class. Default: the last words of the key."
)
@_output_option
def infer(files: Sequence[Any], key: str, name: str | None, output: Path | None) -> None:
    """Draft an event class from recorded bodies.

    FILES have JSON objects, one after the other, or arrays of them, or are recordings of 'typed-pubsub record', where
    what came under KEY counts; - is standard input. What is guessed, and from how many bodies, stands beside each
    field; every body that was given fits the draft.

    \b
    typed-pubsub schema infer --key 'shop.{shop}.sold' recorded.ndjson -o shop_events.py
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.schema.infer import infer as inferred
    from typed_pubsub.schema.infer import template_of

    template = template_of(key)
    bodies = [body for file in files for body in _of_key(_bodies(file), template)]
    put(inferred(bodies, key=key, name=name), output)


def _checked(files: Sequence[Path], read: Callable[[Path], Any]) -> list[Any]:
    """What is read of each file. Where one cannot be: tells all that is wrong, a line each, and ends the command."""
    from typed_pubsub.cli.failing import one_line
    from typed_pubsub.errors import SchemaError

    found, errors = list[Any](), list[SchemaError]()
    for path in files:
        try:
            found.append(read(path))
        except SchemaError as error:
            errors += error.all
    for problem in errors:
        click.echo(f"Error: {one_line(problem)}", err=True)
    if errors:
        sys.exit(SchemaError.exit_code)
    return found


def _sayable(path: Path, *, struct: bool) -> dict[str, Any]:
    """The schema in a file. Raises SchemaError, with the file: it is none, or no class says it."""
    from typed_pubsub.errors import SchemaError
    from typed_pubsub.schema.files import read_file
    from typed_pubsub.schema.generate import generate as generated

    schema = read_file(path).schema
    try:
        generated([schema], struct=struct)
    except SchemaError as error:
        hint = ": an Event, without --struct, says it" if struct and _is_sayable(schema) else ""
        first, *others = (SchemaError(f"{path}: {one.path}", f"{one.problem}{hint}") for one in error.all)
        raise SchemaError(first.path, first.problem, others) from error
    return schema


def _is_sayable(schema: dict[str, Any]) -> bool:
    from typed_pubsub.errors import SchemaError
    from typed_pubsub.schema.generate import generate as generated

    try:
        generated([schema])
    except SchemaError:
        return False
    return True


def put(text: str, output: Path | None) -> None:
    """Writes a file, with the directories that it needs, or to standard output. Raises SchemaError: it cannot."""
    from typed_pubsub.errors import SchemaError

    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SchemaError(str(output), f"cannot be written: {error.strerror}") from error


def _of_key(values: list[Any], key: "KeyTemplate") -> Iterator[Any]:
    """Bodies as they are, and those of recorded messages ('typed-pubsub record') that came under the key."""
    from typed_pubsub.events.keys import matches
    from typed_pubsub.events.shapes import is_mapping

    for value in values:
        if not is_mapping(value) or not value.keys() >= _RECORDED:
            yield value
        elif "body" in value and matches(key.binding_key, str(value["routing_key"])):
            yield value["body"]


def _bodies(file: Any) -> list[Any]:
    """The bodies in a file: a JSON array of them, or one after the other, as lines or not."""
    from typed_pubsub.errors import SchemaError

    try:
        text = file.read().decode()
    except UnicodeDecodeError as error:
        raise SchemaError(file.name, "expected JSON in UTF-8") from error
    decoder, at, found = json.JSONDecoder(), 0, list[Any]()
    while (at := at + len(text[at:]) - len(text[at:].lstrip())) < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError as error:
            line = text.count("\n", 0, at) + 1
            raise SchemaError(f"{file.name}, line {line}", f"expected JSON: {error}") from error
        found += value if isinstance(value, list) else [value]
    return found
