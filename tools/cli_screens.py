"""What ``typed-pubsub`` answers when something is wrong: run for docs/cli.md, in a directory with a small service."""

import contextlib
import os
import shlex
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from click.testing import CliRunner

from typed_pubsub.cli import main

SERVICE = """\
from typed_pubsub import Event, PubSubConfig


class OrderPlaced(Event, routing_key="shop.orders.placed"):
    order: int


config = PubSubConfig(broker_url="amqp://shop:secret@127.0.0.1:1//", exchange="events", queue_name="shop")
embedded = PubSubConfig(broker_url="sqlite:///shop.db", exchange="events", queue_name="shop")


class Settings:
    PUBSUB_BROKER_URL = "amqp://localhost"
    PUBSUB_EXCHAGNE = "events"
    PUBSUB_PREFETCH = 0
"""
COMMANDS = (
    "typed-pubsub subscirbe",
    "typed-pubsub tail --kye 'shop.#'",
    "typed-pubsub tail",
    "typed-pubsub tail -A shop:confg",
    "typed-pubsub tail -A shop.Settings",
    "typed-pubsub tail -A shop:config",
    "typed-pubsub tail -A shop:embedded",
    """typed-pubsub publish -A shop:embedded shop.orders.placed '{"order": "seven"}'""",
    "typed-pubsub dlq drop -A shop:embedded",
    "typed-pubsub dlq list -A shop:embedded",
    "typed-pubsub health -A shop:config",
)


def screens() -> Iterator[str]:
    """Each command with what it answers, as on a console."""
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        Path("shop.py").write_text(SERVICE)
        sys.path.insert(0, os.getcwd())  # noqa: PTH109  # sys.path holds texts
        try:
            for command in COMMANDS:
                yield f"$ {command}\n{_answer(command)}"
        finally:
            sys.path.remove(os.getcwd())  # noqa: PTH109  # as above


def _answer(command: str) -> str:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        done = CliRunner(env={"TYPED_PUBSUB_APP": None}).invoke(
            main, shlex.split(command)[1:], prog_name="typed-pubsub"
        )
    told = [f"UserWarning: {one.message}\n" for one in caught if issubclass(one.category, UserWarning)]
    return "".join([*told, done.output])
