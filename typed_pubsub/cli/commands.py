"""The command ``typed-pubsub``: no logic of its own, each subcommand reads its options and calls the library."""

import sys
from typing import Any

import click

from typed_pubsub.cli.check import check
from typed_pubsub.cli.dlq import dlq
from typed_pubsub.cli.doctor import doctor
from typed_pubsub.cli.explain import explain
from typed_pubsub.cli.extras import require
from typed_pubsub.cli.groups import CommandGroup
from typed_pubsub.cli.health import health
from typed_pubsub.cli.options import RunOptions, run_options
from typed_pubsub.cli.publish import publish
from typed_pubsub.cli.schema import schema
from typed_pubsub.cli.service import service_option, this_service
from typed_pubsub.cli.streams import record, replay, tail
from typed_pubsub.cli.topology import topology
from typed_pubsub.cli.version import PACKAGE, package_version, version


@click.group(
    cls=CommandGroup, context_settings={"auto_envvar_prefix": "TYPED_PUBSUB", "help_option_names": ["-h", "--help"]}
)
@service_option
@click.version_option(package_version(), prog_name=PACKAGE, message="%(prog)s %(version)s")
def main() -> None:
    """Typed events in, Celery tasks out.

    Exit codes: 0 asked to stop, or all well; 1 a finding, something left undone, or anything else; 2 usage or settings;
    3 no connection at start; 4 too many faults in a row; 10 the broker refuses queue, exchange or bindings; 100 a
    contract is broken; 130 Ctrl-C in a command that is no subscriber; 141 nobody reads its output any more; 128 + n on
    a second signal n.
    """


@main.command()
@service_option
@run_options
def subscribe(**options: Any) -> None:
    """Consume the queue of a service until SIGTERM or SIGINT.

    \b
    typed-pubsub subscribe -A my_app.pubsub:config
    typed-pubsub subscribe -A my_app.settings --processes 4 --log-format json
    typed-pubsub subscribe -A my_app.pubsub:config --reload
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    service, asked = this_service(), RunOptions(**options)
    # What `health --file` and a supervisor do not need is imported by those who do.
    from typed_pubsub.cli.supervise import supervise_if_asked

    supervise_if_asked(asked)
    from typed_pubsub.cli.run import run_subscriber

    run_subscriber(service.read_config, asked, before_batch=service.before_batch)


@main.command()
def demo() -> None:
    """Show the whole story in a quarter of a minute: two services, real processes, no server.

    Publishes 600 events and two broken messages, kills the subscriber in the middle, and counts what became of all.
    """
    require("rich", "cli")
    from typed_pubsub.demo.run import main as tell

    sys.exit(tell())


for _command in (
    check,
    dlq,
    doctor,
    explain,
    health,
    publish,
    record,
    replay,
    schema,
    tail,
    topology,
    version,
):
    main.add_command(_command)
