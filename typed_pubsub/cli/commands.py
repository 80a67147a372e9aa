"""The command ``typed-pubsub``: no logic of its own, each subcommand reads its options and calls the library."""

import platform
import sys
from importlib import metadata

import click

from typed_pubsub.cli.extras import require
from typed_pubsub.cli.groups import CommandGroup
from typed_pubsub.cli.health import health
from typed_pubsub.cli.options import log_options
from typed_pubsub.cli.publish import publish
from typed_pubsub.cli.schema import schema
from typed_pubsub.cli.service import service_option, this_service
from typed_pubsub.cli.streams import record, replay, tail
from typed_pubsub.cli.topology import topology

_PACKAGE = "typed-pubsub"
_SHOWN = ("amqp", "celery", "kombu", "msgspec", "pydantic")


def package_version() -> str:
    """The installed version of this package; "unknown" for a source tree that is not installed."""
    try:
        return metadata.version(_PACKAGE)
    except metadata.PackageNotFoundError:
        return "unknown"


@click.group(
    cls=CommandGroup, context_settings={"auto_envvar_prefix": "TYPED_PUBSUB", "help_option_names": ["-h", "--help"]}
)
@service_option
@click.version_option(package_version(), prog_name=_PACKAGE, message="%(prog)s %(version)s")
def main() -> None:
    """Typed events in, Celery tasks out.

    Exit codes: 0 asked to stop, or all well; 2 usage or settings; 3 no connection at start; 4 too many faults in a
    row; 10 the broker refuses queue, exchange or bindings; 100 a contract is broken; 128 + n on a second signal n; 1 a
    finding of health or schema, or anything else.
    """


@main.command()
@service_option
@log_options
def subscribe(log_level: str | None, log_format: str | None) -> None:
    """Consume the queue of a service until SIGTERM or SIGINT.

    \b
    typed-pubsub subscribe -A my_app.pubsub:config
    typed-pubsub subscribe -A my_app.settings --log-format json
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    # What `health --file` does not need is imported by those who do.
    from typed_pubsub.cli.run import run_subscriber

    service = this_service()
    run_subscriber(service.read_config, log_level=log_level, log_format=log_format, before_batch=service.before_batch)


main.add_command(health)
main.add_command(schema)
main.add_command(publish)
main.add_command(tail)
main.add_command(record)
main.add_command(replay)
main.add_command(topology)


@main.command()
def demo() -> None:
    """Show the whole story in a quarter of a minute: two services, real processes, no server.

    Publishes 600 events and two broken messages, kills the subscriber in the middle, and counts what became of all.
    """
    require("rich", "cli")
    from typed_pubsub.demo.run import main as tell

    sys.exit(tell())


@main.command()
def version() -> None:
    """Print the versions of this package and of what it stands on."""
    click.echo(f"{_PACKAGE} {package_version()}")
    click.echo(f"python {platform.python_version()}")
    for name in _SHOWN:
        click.echo(f"{name} {metadata.version(name)}")
