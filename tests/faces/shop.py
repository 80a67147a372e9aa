"""A service with two events, and ``typed-pubsub schema`` as a process of its own in its directory."""

from pathlib import Path
from textwrap import dedent

from tests.support.children import environment, run

SCHEMA = ("-m", "typed_pubsub.cli", "schema")
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
    child = run(*SCHEMA, *options, cwd=cwd, env=environment(**env))
    return child.wait(), child.lines


def edit(service: Path, before: str, after: str) -> None:
    """Replaces a part of the module of its events."""
    path = service / "shop" / "events.py"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
