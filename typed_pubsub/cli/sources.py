"""``typed-pubsub schema generate`` and ``infer``: event classes from contracts, and from recorded bodies."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

_output_option = click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Where to write the module. Default: standard output.",
)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--struct", is_flag=True, help="Make StructEvent classes (msgspec) instead of Event classes (pydantic).")
@_output_option
def generate(files: Sequence[Path], struct: bool, output: Path | None) -> None:  # noqa: FBT001  # a flag
    r"""Make a module of event classes from schema FILES, for those who do not have the publisher's package.

    The same files give the same bytes. What cannot be said in a class is told in a comment.

    \b
    typed-pubsub schema generate schemas/shop.order.placed/*.json -o shop_events.py
    """
    from typed_pubsub.cli.run import failing_in_one_line
    from typed_pubsub.schema.files import read_file
    from typed_pubsub.schema.generate import generate as generated

    with failing_in_one_line():
        _put(generated([read_file(path).schema for path in files], struct=struct), output)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
@click.option("--key", required=True, metavar="KEY", help="The routing key, words of it as {field}: shop.{shop}.sold.")
@click.option("--name", metavar="CLASS", help="The name of the class. Default: the last words of the key.")
@_output_option
def infer(files: Sequence[Any], key: str, name: str | None, output: Path | None) -> None:
    r"""Draft an event class from recorded bodies.

    FILES have JSON objects, one after the other, or arrays of them; - is standard input. What is guessed, and from how
    many bodies, stands beside each field; every body that was given fits the draft.

    \b
    typed-pubsub schema infer --key 'shop.{shop}.sold' recorded.ndjson -o shop_events.py
    """
    from typed_pubsub.cli.run import failing_in_one_line
    from typed_pubsub.schema.infer import infer as inferred

    with failing_in_one_line():
        _put(inferred([body for file in files for body in _bodies(file)], key=key, name=name), output)


def _put(source: str, output: Path | None) -> None:
    if output is None:
        click.echo(source, nl=False)
    else:
        output.write_text(source, encoding="utf-8")


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
