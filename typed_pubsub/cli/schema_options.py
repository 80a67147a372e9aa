"""The options that the commands of ``typed-pubsub schema`` share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from typed_pubsub.cli.service import service_option

C = TypeVar("C", bound=Callable[..., Any])

_ROLES = ("publisher", "consumer", "both")
_FORMATS = ("text", "json", "github")


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
    return events(service_option(_directory_option(command)))


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


def check_format_option(command: C) -> C:
    """Adds ``--format`` as ``check`` has it."""
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
