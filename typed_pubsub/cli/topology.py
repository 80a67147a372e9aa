"""``typed-pubsub topology``: what a service declares at its broker, what is there, and how one becomes the other."""

import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import click

from typed_pubsub.cli.asking import confirm
from typed_pubsub.cli.printing import echo_json, echo_wrapped, format_option, progress
from typed_pubsub.cli.service import service_option, this_service
from typed_pubsub.cli.tables import show_table

if TYPE_CHECKING:
    from typed_pubsub.config import PubSubConfig
    from typed_pubsub.ops.topology.plan import Plan
    from typed_pubsub.ops.topology.report import BindingRow, ObjectRow
    from typed_pubsub.ops.topology.values import Declared, Found

C = TypeVar("C", bound=Callable[..., Any])


@click.group()
def topology() -> None:
    """Look at exchange, queues and bindings of a service, and bring the broker to what is declared."""


def _management_option(command: C) -> C:
    return click.option(
        "--management",
        metavar="URL",
        envvar="TYPED_PUBSUB_MANAGEMENT",
        show_envvar=True,
        help="RabbitMQ's management API. Default: port 15672 of the broker's host, with amqps:// port 15671.",
    )(command)


def _prune_option(command: C) -> C:
    return click.option(
        "--prune", is_flag=True, show_default=True, show_envvar=True, help="Unbind the keys that no route wants."
    )(command)


def _migrate_option(command: C) -> C:
    return click.option(
        "--migrate",
        is_flag=True,
        show_default=True,
        show_envvar=True,
        help="Make queues anew that cannot be changed, keeping their messages.",
    )(command)


@topology.command()
@service_option
@_management_option
@format_option
def show(management: str | None, form: str) -> None:
    """Show what is declared beside what the broker has: queues, their messages, bindings and what they are for.

    \b
    typed-pubsub topology show -A my_app.pubsub:config
    typed-pubsub topology show -A my_app.pubsub:config --format json
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.ops.topology.report import binding_rows, object_rows

    _, declared, found = _looked(management)
    objects, bindings = object_rows(declared, found), binding_rows(declared, found)
    if form == "json":
        echo_json({"objects": objects, "bindings": bindings, "unknown": found.unknown})
        return
    columns = ("object", "declared", "at the broker", "ready", "unacked", "consumers", "differs in")
    show_table(columns, [(row.name, row.declared, row.found, *_counts(row), _names(row)) for row in objects])
    if bindings:
        click.echo()
        ours = (declared.exchange.name, declared.queues[-1].name)
        rows = [(_key(row, ours), row.standing, ", ".join(row.serves) or "-") for row in bindings]
        show_table(("binding key", "standing", "serves"), rows)
    notes = [*_differences(_planned(declared, found, prune=False, migrate=False)), *_not_known(found)]
    if notes:
        click.echo()
    for line in notes:
        echo_wrapped("", line, indent=2)


@topology.command("plan")
@service_option
@_prune_option
@_migrate_option
@_management_option
@format_option
def plan_(prune: bool, migrate: bool, management: str | None, form: str) -> None:  # noqa: FBT001  # click's flags
    """Tell what apply would do, and what it cannot: exit code 0 if the broker has what is declared, else 1.

    \b
    typed-pubsub topology plan -A my_app.pubsub:config
    typed-pubsub topology plan -A my_app.pubsub:config --prune --migrate
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    _, declared, found = _looked(management)
    made = _planned(declared, found, prune=prune, migrate=migrate)
    if form == "json":
        steps = [{"sentence": str(step), "step": step} for step in made.steps]
        differences = [{"sentence": str(difference), "difference": difference} for difference in made.differences]
        echo_json({"steps": steps, "differences": differences, "stale": made.stale, "unknown": found.unknown})
    else:
        for line in _lines(made, found):
            echo_wrapped("", line, indent=2)
    sys.exit(0 if made.nothing_to_do else 1)


@topology.command()
@service_option
@_prune_option
@_migrate_option
@click.option("--yes", is_flag=True, show_default=True, show_envvar=True, help="Do not ask.")
@click.option(
    "--declared-bindings-only",
    is_flag=True,
    show_default=True,
    show_envvar=True,
    help="With --migrate, where bindings cannot be listed: carry those that are declared, and lose others.",
)
@_management_option
def apply(prune: bool, migrate: bool, yes: bool, declared_bindings_only: bool, management: str | None) -> None:  # noqa: FBT001
    """Bring the broker to what is declared, after asking. Running it again changes nothing.

    Nothing is taken away without --prune, and no queue is made anew without --migrate. A migration that was
    interrupted goes on when it is run again.

    \b
    typed-pubsub topology apply -A my_app.pubsub:config
    typed-pubsub topology apply -A my_app.pubsub:config --migrate --yes
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.brokers.event_broker import masked
    from typed_pubsub.errors import TopologyRefused
    from typed_pubsub.ops.topology.apply import apply as take
    from typed_pubsub.ops.topology.apply import obstacles

    config, declared, found = _looked(management)
    made = _planned(declared, found, prune=prune, migrate=migrate)
    for line in _lines(made, found):
        echo_wrapped("", line, indent=2)
    hindered = obstacles(made, found, declared_bindings_only=declared_bindings_only)
    if hindered:
        raise TopologyRefused("; ".join(hindered))
    if made.steps:
        these = "this step" if len(made.steps) == 1 else f"these {len(made.steps)} steps"
        confirm(f"Take {these} at {masked(config.broker_url)}?", yes=yes)
    with progress("messages moved", None) as advance:
        take(config.broker_url, made, declared, lambda line: advance.say(f"... {line}"), advance)
    if made.steps:
        click.echo(f"done: {len(made.steps)} step{'s' if len(made.steps) > 1 else ''}")


@topology.command()
@service_option
@click.option(
    "--rabbitmq",
    type=click.Choice(("3", "4")),
    default="3",
    show_default=True,
    show_envvar=True,
    help="The release it is for: only 4 takes a dead-letter queue without a delivery limit, and it needs one.",
)
def export(rabbitmq: str) -> None:
    """Print RabbitMQ's definitions of what is declared, for rabbitmqctl import_definitions.

    The virtual host is the one of BROKER_URL, and has to be there already.

    \b
    typed-pubsub topology export -A my_app.pubsub:config > definitions.json
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from dataclasses import replace

    from typed_pubsub.ops.topology.declared import declared_by, declared_queues
    from typed_pubsub.ops.topology.export import definitions
    from typed_pubsub.ops.topology.management import vhost_of

    config = this_service().read_config()
    declared = declared_by(config)
    if declared.queues:
        # As RabbitMQ has them, whatever the broker of these settings is.
        queues = declared_queues(config, limits_deliveries=False, server_version=(int(rabbitmq),))
        declared = replace(declared, queues=queues)
    echo_json(definitions(declared, vhost_of(config.broker_url)))


def _looked(management: str | None) -> "tuple[PubSubConfig, Declared, Found]":
    from typed_pubsub.ops.topology.declared import at_version, declared_by
    from typed_pubsub.ops.topology.look import look

    config = this_service().read_config()
    declared = declared_by(config)
    found = look(config.broker_url, declared, management)
    return config, at_version(declared, found.server_version, config), found


def _planned(declared: "Declared", found: "Found", *, prune: bool, migrate: bool) -> "Plan":
    from typed_pubsub.ops.topology.plan import plan

    return plan(declared, found, prune=prune, migrate=migrate)


def _lines(made: "Plan", found: "Found") -> Iterator[str]:
    if made.nothing_to_do:
        known = "" if found.bindings is not None else ", as far as is known; apply binds it with every key again"
        yield f"nothing to do: the broker has what is declared{known}"
    yield from map(str, made.steps)
    yield from _differences(made)
    yield from _not_known(found)


def _differences(made: "Plan") -> Iterator[str]:
    yield from (f"differs: {difference}" for difference in made.differences)
    yield from (f"stale: the binding of {binding}; no route wants it, --prune unbinds it" for binding in made.stale)


def _not_known(found: "Found") -> Iterator[str]:
    yield from (f"not known: {sentence}" for sentence in found.unknown)


def _counts(row: "ObjectRow") -> Iterator[str]:
    yield from ("-" if number is None else f"{number:,}" for number in (row.ready, row.unacked, row.consumers))


def _names(row: "ObjectRow") -> str:
    """The first property that differs, and how many more."""
    more = f" +{len(row.differs) - 1}" if len(row.differs) > 1 else ""
    return f"{row.differs[0].name}{more}" if row.differs else ""


def _key(row: "BindingRow", ours: tuple[str, str]) -> str:
    return row.key if (row.exchange, row.queue) == ours else f"{row.key} ({row.exchange} > {row.queue})"
