"""The options that the commands of ``typed-pubsub schema`` share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from typed_pubsub.cli.options import directory_option
from typed_pubsub.cli.service import service_option

C = TypeVar("C", bound=Callable[..., Any])

_ROLES = ("publisher", "consumer", "both")


def event_options(command: C) -> C:
    """Adds ``--events``, ``-A`` and ``--dir``: which events, and where their files stand."""
    events = click.option(
        "--events",
        "modules",
        multiple=True,
        metavar="MODULE",
        envvar="TYPED_PUBSUB_EVENTS",
        show_envvar=True,
        help="A module that has events, or imports them; may be given more than once. Default: those of -A.",
    )
    directory = directory_option("Where the schema files stand, one a key and version: KEY/VERSION.json.")
    return events(service_option(directory(command)))


def role_option(command: C) -> C:
    """Adds ``--role``."""
    return click.option(
        "--role",
        type=click.Choice(_ROLES),
        default="both",
        show_default=True,
        envvar="TYPED_PUBSUB_SCHEMA_ROLE",
        show_envvar=True,
        help="Whose promise is looked at: what is published here, what is consumed here.",
    )(command)
