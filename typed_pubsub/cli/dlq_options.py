"""Which dead letters a command is about: the options that all of ``typed-pubsub dlq`` share."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from typed_pubsub.cli.durations import duration

C = TypeVar("C", bound=Callable[..., Any])

#: Ours, those of the broker's x-death, and of a message that tells of neither.
REASONS = (
    "undecodable", "oversize", "unknown_event", "invalid_body", "newer_version", "mapping_error", "retries_exhausted",
    "delivery_limit", "expired", "maxlen", "rejected", "unknown",
)  # fmt: skip

_OPTIONS = (
    click.option(
        "--reason", "reasons", multiple=True, type=click.Choice(REASONS), metavar="REASON", show_envvar=True,
        help=f"Of this reason: {', '.join(REASONS)}.",
    ),
    click.option(
        "--key", "keys", multiple=True, metavar="PATTERN", show_envvar=True,
        help="Of a routing key: a binding key, with * for one word and # for any number of words.",
    ),
    click.option("--id", "ids", multiple=True, metavar="EVENT_ID", show_envvar=True, help="Of this event."),
    click.option(
        "--older-than", type=duration, metavar="DURATION", show_envvar=True,
        help="Dead for longer than this: 90s, 15m, 2h, 7d.",
    ),
    click.option(
        "--newer-than", type=duration, metavar="DURATION", show_envvar=True, help="Dead for at most this long."
    ),
    click.option(
        "--limit", type=click.IntRange(min=1), metavar="N", show_envvar=True, help="At most so many, the first ones."
    ),
    click.option(
        "--anyway", is_flag=True, show_envvar=True,
        help="Read a queue of RabbitMQ 4 too that drops what is read 20 times.",
    ),
)  # fmt: skip


def wanted_options(command: C) -> C:
    """Adds the options that say which dead letters are meant."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
