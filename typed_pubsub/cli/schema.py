"""``typed-pubsub schema``: contracts as files, written, held against the code, and compared."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from typed_pubsub.cli.printing import findings_format_option, format_option
from typed_pubsub.cli.schema_options import event_options, role_option
from typed_pubsub.cli.service import this_service_if_any
from typed_pubsub.cli.show import show
from typed_pubsub.cli.sources import generate, infer, put

if TYPE_CHECKING:
    from typed_pubsub.events import EventClass

#: The exit code where a contract is broken.
BROKEN = 100


@click.group()
def schema() -> None:
    """Keep the contracts of events as JSON Schema files, and find what breaks them."""


@schema.command()
@event_options
@role_option
@findings_format_option("TYPED_PUBSUB_SCHEMA_FORMAT")
@click.option(
    "--against",
    metavar="DIR|git:REV",
    show_envvar=True,
    help="Hold the events against these files instead of those of --dir: of another directory, or --dir at a revision.",
)
@click.option(
    "--in-sync",
    is_flag=True,
    show_envvar=True,
    help="Fail (1) also for compatible differences between files and events.",
)
def check(  # noqa: PLR0917  # its options
    modules: Sequence[str], directory: Path, role: Any, form: str, against: str | None, in_sync: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    """Tell whether today's events keep the committed contracts.

    Exit code 100 for a change that breaks a publisher or a consumer, with the rule, the place and an event that shows
    it; 0 otherwise, also if the files are to be written anew (1 with --in-sync).

    \b
    typed-pubsub schema check --events my_app.events
    typed-pubsub schema check -A my_app.pubsub:config --against git:origin/main
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.cli.findings import render
    from typed_pubsub.schema import gate
    from typed_pubsub.schema.files import read_files
    from typed_pubsub.schema.ignores import read_ignores

    events = _found(modules)
    files = read_files(directory, against)
    if not files:
        click.echo(f"there are no schema files in {against or directory}: everything is new", err=True)
    findings = gate.check(events, files, role=role, ignores=read_ignores(directory), search=gate.counterexamples())
    click.echo(render(form, findings, directory.as_posix(), len(events), against))
    kinds = {one.kind for one in findings}
    if "incompatible" in kinds:
        sys.exit(BROKEN)
    sys.exit(1 if in_sync and kinds & gate.DRIFT else 0)


@schema.command()
@event_options
def write(modules: Sequence[str], directory: Path) -> None:
    """Write the schema files of new and of compatibly changed events.

    A file is never overwritten by a schema that breaks it: exit code 100, and no file is written. Raise version=, or
    give the reason in ignore.toml.
    """
    from typed_pubsub.cli.findings import render
    from typed_pubsub.schema import gate
    from typed_pubsub.schema.files import read_files
    from typed_pubsub.schema.ignores import read_ignores

    events = _found(modules)
    ignores = read_ignores(directory)
    findings = gate.check(events, read_files(directory), ignores=ignores, search=gate.counterexamples())
    broken = [one for one in findings if one.kind == "incompatible"]
    if broken:
        click.echo(render("text", broken, directory.as_posix(), len(events)))
        click.echo("nothing is written", err=True)
        sys.exit(BROKEN)
    for one in findings:
        if one.text is not None:
            path = directory / one.key / f"{one.version}.json"
            put(one.text, path)
            click.echo(f"{one.kind} {path.as_posix()}")


@schema.command()
@event_options
@format_option
@click.option("--against", metavar="DIR|git:REV", show_envvar=True, help="As for check.")
def diff(modules: Sequence[str], directory: Path, form: str, against: str | None) -> None:
    """Show how today's schemas differ from the committed files, as a unified diff; exit code 1 if any does."""
    from typed_pubsub.cli.findings import render_differences
    from typed_pubsub.schema.differences import differences
    from typed_pubsub.schema.files import read_files

    events = _found(modules)
    found = [*differences(events, read_files(directory, against), directory.as_posix())]
    click.echo(render_differences(form, found), nl=False)
    sys.exit(1 if found else 0)


def _found(modules: Sequence[str]) -> "list[EventClass]":
    from typed_pubsub.cli.events import find_events

    return find_events(modules, this_service_if_any())


schema.add_command(show)
schema.add_command(generate)
schema.add_command(infer)
