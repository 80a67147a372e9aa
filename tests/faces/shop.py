"""A service with two events, and ``typed-pubsub schema`` in its directory."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.support.children import environment
from tests.support.commands import command

EVENTS = """
    from typed_pubsub import Event


    class Listed(Event, routing_key="shop.{shop}.listed"):
        shop: str
        price: int


    class Sold(Event, routing_key="shop.sold"):
        article: str
    """
SETTINGS = """
    PUBSUB_BROKER_URL = "amqp://localhost//"
    PUBSUB_EXCHANGE = "an_exchange"
    PUBSUB_EVENTS = ["shop.events"]
    """


def make_service(directory: Path) -> Path:
    """Writes the service and the files of its events."""
    package = directory / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "events.py").write_text(dedent(EVENTS))
    (package / "settings.py").write_text(dedent(SETTINGS))
    code, lines = schema("write", "--events", "shop.events", cwd=directory)
    assert (code, lines) == (0, ["new schemas/shop.sold/1.json", "new schemas/shop.{shop}.listed/1.json"])
    return directory


def schema(*options: str, cwd: Path, **env: str) -> tuple[int, list[str]]:
    """Exit code and lines of the command."""
    return command("schema", *options, cwd=cwd, **env)


def process(*options: str, cwd: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """The command as a shell starts it, with pipes for what it reads and says."""
    given = [sys.executable, "-m", "typed_pubsub.cli", "schema", *options]
    return subprocess.run(given, cwd=cwd, env=environment(), input=text, capture_output=True, text=True, check=False)


def edit(service: Path, before: str, after: str) -> None:
    """Replaces a part of the module of its events."""
    path = service / "shop" / "events.py"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
