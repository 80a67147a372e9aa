"""``typed-pubsub doctor``: what is wrong with the brokers of a service."""

import sys
from typing import TYPE_CHECKING

import click

from typed_pubsub.cli.options import timeout_option
from typed_pubsub.cli.printing import echo_json, echo_wrapped, format_option
from typed_pubsub.cli.service import service_option, this_service

if TYPE_CHECKING:
    from typed_pubsub.ops.doctor.lines import Examined

_COLOURS = {"ok": "green", "problem": "red", "advice": "yellow", "unknown": "blue"}


@click.command()
@service_option
@timeout_option("Seconds for each step.")
@click.option(
    "--management",
    metavar="URL",
    envvar="TYPED_PUBSUB_MANAGEMENT",
    show_envvar=True,
    help="RabbitMQ's management API, which tells its clock. Default: port 15672 of the broker, 15671 with TLS.",
)
@format_option
def doctor(timeout: float, management: str | None, form: str) -> None:
    """Tell what is wrong with the brokers of a service.

    Looks, from the network upwards, at the event broker, and at Celery's where the service subscribes. Changes nothing
    there: what is measured goes through a queue of the connection's own. Exit code 0 all well, 1 a problem, 3 no
    connection.

    \b
    typed-pubsub doctor -A my_app.pubsub:config
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    config = this_service().read_config()
    from typed_pubsub.ops.doctor.lines import exit_code
    from typed_pubsub.ops.doctor.service import examine

    examined: list[Examined] = []
    for one in examine(config, timeout, management):
        examined.append(one)
        if form == "text":
            _tell(one)
    if form == "json":
        echo_json({"brokers": examined})
    sys.exit(exit_code(examined))


def _tell(examined: "Examined") -> None:
    click.echo(f"{examined.what} {examined.url}")
    for line in examined.lines:
        echo_wrapped(f"  {line.verdict:8}", f" {line.subject}: {line.text}", colour=_COLOURS[line.verdict], indent=11)
        if line.fix:
            echo_wrapped(" " * 11, line.fix, indent=11)
