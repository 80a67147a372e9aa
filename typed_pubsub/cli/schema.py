"""``typed-pubsub schema``: contracts as files, written, held against the code, and compared."""

import difflib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from typed_pubsub.cli.options import app_option
from typed_pubsub.cli.sources import generate, infer, put

if TYPE_CHECKING:
    from typed_pubsub.events import EventClass

C = TypeVar("C", bound=Callable[..., Any])

#: The exit code where a contract is broken.
BROKEN = 100
_ROLES = ("publisher", "consumer", "both")
_FORMATS = ("text", "json", "github")


@click.group()
def schema() -> None:
    """Keep the contracts of events as JSON Schema files, and find what breaks them."""


def _event_options(command: C) -> C:
    events = click.option(
        "--events",
        "modules",
        multiple=True,
        metavar="MODULE",
        envvar="TYPED_PUBSUB_EVENTS",
        show_envvar=True,
        help="A module that has events, or imports them; may be given more than once. Default: those of -A.",
    )
    return events(app_option(required=False)(_directory_option(command)))


def _directory_option(command: C) -> C:
    return click.option(
        "--dir",
        "directory",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path("schemas"),
        show_default=True,
        envvar="TYPED_PUBSUB_SCHEMAS",
        show_envvar=True,
        help="Where the schema files stand, one a key and version: KEY/VERSION.json.",
    )(command)


def _format_option(command: C) -> C:
    return click.option(
        "--format",
        "form",
        type=click.Choice(_FORMATS, case_sensitive=False),
        default="text",
        show_default=True,
        envvar="TYPED_PUBSUB_SCHEMA_FORMAT",
        show_envvar=True,
        help="Text, JSON, or annotations of a GitHub workflow.",
    )(command)


def _role_option(command: C) -> C:
    return click.option(
        "--role",
        type=click.Choice(_ROLES),
        default="both",
        show_default=True,
        envvar="TYPED_PUBSUB_SCHEMA_ROLE",
        show_envvar=True,
        help="Whose promise is looked at: what is published here, what is consumed here.",
    )(command)


@schema.command()
@_event_options
@_role_option
@_format_option
@click.option(
    "--against",
    metavar="DIR|git:REV",
    help="Hold the events against these files instead of those of --dir: of another directory, or --dir at a revision.",
)
@click.option("--in-sync", is_flag=True, help="Fail (1) also for compatible differences between files and events.")
def check(  # noqa: PLR0917  # its options
    modules: Sequence[str], app: str | None, directory: Path, role: Any, form: str, against: str | None, in_sync: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    """Tell whether today's events keep the committed contracts.

    Exit code 100 for a change that breaks a publisher or a consumer, with the rule, the place and an event that shows
    it; 0 otherwise, also if the files are to be written anew (1 with --in-sync).

    \b
    typed-pubsub schema check --events my_app.events
    typed-pubsub schema check -A my_app.pubsub:config --against git:origin/main
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.cli.failing import failing_in_one_line
    from typed_pubsub.cli.findings import render
    from typed_pubsub.schema import gate
    from typed_pubsub.schema.files import read_files
    from typed_pubsub.schema.ignores import read_ignores

    with failing_in_one_line():
        events = _found(modules, app)
        files = read_files(against if against is not None else str(directory), directory)
        if not files:
            click.echo(f"there are no schema files in {against or directory}: everything is new", err=True)
        findings = gate.check(events, files, role=role, ignores=read_ignores(directory), search=_search())
    click.echo(render(form, findings, directory.as_posix(), len(events)))
    kinds = {one.kind for one in findings}
    if "incompatible" in kinds:
        sys.exit(BROKEN)
    sys.exit(1 if in_sync and kinds & gate.DRIFT else 0)


@schema.command()
@_event_options
def write(modules: Sequence[str], app: str | None, directory: Path) -> None:
    """Write the schema files of new and of compatibly changed events.

    A file is never overwritten by a schema that breaks it: exit code 100, and no file is written. Raise version=, or
    give the reason in ignore.toml.
    """
    from typed_pubsub.cli.failing import failing_in_one_line
    from typed_pubsub.cli.findings import render
    from typed_pubsub.events.registry import meta_of
    from typed_pubsub.schema import canonical, gate, path_of, schema_of
    from typed_pubsub.schema.files import read_files
    from typed_pubsub.schema.ignores import read_ignores

    with failing_in_one_line():
        events = _found(modules, app)
        files = read_files(str(directory), directory)
        findings = gate.check(events, files, ignores=read_ignores(directory), search=_search())
        broken = [one for one in findings if one.kind == "incompatible"]
        if broken:
            click.echo(render("text", broken, directory.as_posix(), len(events)))
            click.echo("nothing is written", err=True)
            sys.exit(BROKEN)
        held = {file.path: file.text for file in files}
        for event in events:
            path, text = directory / path_of(meta_of(event)), canonical(schema_of(event))
            if held.get(str(path)) != text:
                put(text, path)
                click.echo(f"{'changed' if str(path) in held else 'new'} {path.as_posix()}")


@schema.command()
@_event_options
@click.option("--against", metavar="DIR|git:REV", help="As for check.")
def diff(modules: Sequence[str], app: str | None, directory: Path, against: str | None) -> None:
    """Show how today's schemas differ from the committed files, as a unified diff; exit code 1 if any does."""
    from typed_pubsub.cli.failing import failing_in_one_line
    from typed_pubsub.events.registry import meta_of
    from typed_pubsub.schema import canonical, path_of, schema_of
    from typed_pubsub.schema.files import read_files

    differs = False
    with failing_in_one_line():
        events = _found(modules, app)
        files = read_files(against if against is not None else str(directory), directory)
        held = {(file.template.text, file.version): file.text for file in files}
        for event in events:
            meta = meta_of(event)
            before = held.get((meta.key.text, meta.version), "").splitlines(keepends=True)
            after = canonical(schema_of(event)).splitlines(keepends=True)
            path = (directory / path_of(meta)).as_posix()
            for line in difflib.unified_diff(before, after, path if before else "/dev/null", path):
                differs = True
                click.echo(line, nl=False)
    sys.exit(1 if differs else 0)


@schema.command()
@_event_options
@click.argument("key", required=False)
@click.option("--writes", is_flag=True, help="What a publisher writes, instead of what a subscriber accepts.")
@click.option("--example", is_flag=True, help="A small event instead of the schema (needs Hypothesis).")
def show(  # noqa: PLR0917  # its options
    modules: Sequence[str], app: str | None, directory: Path, key: str | None, writes: bool, example: bool,  # noqa: FBT001, ARG001
) -> None:  # fmt: skip
    """Print the schema of the event that is bound to KEY (a template, or a routing key), else a list of all events."""
    from typed_pubsub.cli.failing import failing_in_one_line
    from typed_pubsub.events.keys import matches
    from typed_pubsub.events.registry import meta_of
    from typed_pubsub.schema import canonical, schema_of
    from typed_pubsub.schema.closed import written

    with failing_in_one_line():
        events = _found(modules, app)
        if key is None and (writes or example):
            raise click.UsageError("Missing argument 'KEY': whose schema, or example?")
        if key is None:
            for event in events:
                meta = meta_of(event)
                click.echo(f"{meta.key.text} version {meta.version}: {event.__module__}.{event.__qualname__}")
            return
        named = [e for e in events if meta_of(e).key.text == key or matches(meta_of(e).key.binding_key, key)]
        if not named:
            raise click.UsageError(_nearest(key, [meta_of(event).key.text for event in events]))
        found = schema_of(named[-1])
        if example:
            click.echo(_example(named[-1], found))
        else:
            click.echo(canonical(written(found) if writes else found), nl=False)


def _found(modules: Sequence[str], app: str | None) -> "list[EventClass]":
    from typed_pubsub.cli.events import find_events

    return find_events(modules, app)


def _search() -> Any:
    """The search for counter-examples, where Hypothesis is installed."""
    try:
        from typed_pubsub.schema.counterexamples import find_refused
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        return None
    return find_refused


def _example(event: "EventClass", found: dict[str, Any]) -> str:
    """The smallest event found that the model accepts."""
    from typed_pubsub.cli.extras import require

    require("hypothesis", "cli")
    from typed_pubsub.events.registry import meta_of
    from typed_pubsub.schema.closed import written
    from typed_pubsub.schema.counterexamples import find_refused
    from typed_pubsub.schema.gate import reads

    meta = meta_of(event)
    sent = find_refused(written(found), meta.key, lambda one: not reads(meta, one))
    if sent is None:
        raise click.UsageError(f"its own validators refuse all that was tried of {meta.key.text!r}")
    return str(sent.body.decode())


def _nearest(key: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"there is no event of {key!r}{f': did you mean {close[0]!r}?' if close else ''}"


schema.add_command(generate)
schema.add_command(infer)
