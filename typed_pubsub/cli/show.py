"""``typed-pubsub schema show``: the events of a service, the schema of one, or an example of it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from typed_pubsub.cli.printing import echo_json, format_option
from typed_pubsub.cli.schema_options import event_options
from typed_pubsub.cli.service import this_service_if_any

if TYPE_CHECKING:
    from typed_pubsub.events import EventClass


@click.command()
@event_options
@click.argument("event", required=False)
@click.option(
    "--writes", is_flag=True, show_envvar=True, help="What a publisher writes, instead of what a subscriber accepts."
)
@click.option(
    "--example", is_flag=True, show_envvar=True, help="A small event instead of the schema (needs Hypothesis)."
)
@format_option
def show(  # noqa: PLR0917  # its options
    modules: Sequence[str], directory: Path, event: str | None, writes: bool, example: bool, form: str,  # noqa: FBT001, ARG001
) -> None:  # fmt: skip
    """Print the schema of EVENT, which is JSON in any case, else a list of all events.

    EVENT is a routing key or the template of one, of which the newest version is meant, or a class: its name, with or
    without its module.

    \b
    typed-pubsub schema show app1.matches.published --events my_app.events
    typed-pubsub schema show MatchesPublished --events my_app.events
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.cli.events import find_events, named
    from typed_pubsub.events.registry import meta_of, name_of
    from typed_pubsub.schema import canonical, schema_of
    from typed_pubsub.schema.closed import written

    events = find_events(modules, this_service_if_any())
    if event is None and (writes or example):
        raise click.UsageError("Missing argument 'EVENT': whose schema, or example?")
    if event is None:
        told = [
            {"key": meta_of(one).key.text, "version": meta_of(one).version, "event": name_of(one)} for one in events
        ]
        if form == "json":
            echo_json(told)
        else:
            click.echo("\n".join("{key} version {version}: {event}".format_map(one) for one in told))
        return
    found = named(event, events)
    schema = schema_of(found)
    if example:
        click.echo(_example(found, schema))
    else:
        click.echo(canonical(written(schema) if writes else schema), nl=False)


def _example(event: "EventClass", schema: dict[str, Any]) -> str:
    """The smallest event found that the model accepts."""
    from typed_pubsub.cli.extras import require

    require("hypothesis", "cli")
    from typed_pubsub.events.registry import meta_of
    from typed_pubsub.schema.closed import written
    from typed_pubsub.schema.counterexamples import find_refused
    from typed_pubsub.schema.gate import reads

    meta = meta_of(event)
    sent = find_refused(written(schema), meta.key, lambda one: not reads(meta, one))
    if sent is None:
        raise click.UsageError(f"its own validators refuse all that was tried of {meta.key.text!r}")
    return str(sent.body.decode())
