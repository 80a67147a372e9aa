"""``typed-pubsub publish``: one event, or one a line, validated as the service's own code would be."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from typed_pubsub.cli.bodies import body_lines
from typed_pubsub.cli.keys import routing_key
from typed_pubsub.cli.printing import echo_json, format_option, progress
from typed_pubsub.cli.service import service_option, this_service


@click.command()
@click.argument("key", type=routing_key)
@click.argument("body", metavar="JSON|-|@FILE")
@click.option("--many", is_flag=True, show_envvar=True, help="One JSON object a line, each an event of KEY.")
@click.option("--id", "event_id", metavar="ID", show_envvar=True, help="The event id, to repeat a publication.")
@service_option
@format_option
def publish(key: str, body: str, many: bool, event_id: str | None, form: str) -> None:  # noqa: FBT001  # a flag
    """Publish an event: its routing KEY, and its body as JSON, - for standard input or @FILE.

    The body must fit the model that is bound to the key. Prints the event id when the broker has confirmed the event.

    \b
    typed-pubsub publish -A my_app.pubsub:config shop.orders.cancelled '{"order_id": 7}'
    typed-pubsub publish -A my_app.pubsub:config shop.orders.cancelled @orders.ndjson --many
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    if many and event_id is not None:
        raise click.UsageError("--id is for one event, not for --many.")
    from typed_pubsub.errors import EventError
    from typed_pubsub.ops.connect import require_broker
    from typed_pubsub.publisher import Publisher

    with Publisher(this_service().read_config()) as publisher:
        require_broker(publisher.config)
        if many:
            lines = _Lines(key, body)
            with progress("published", None) as advance:
                try:
                    told: dict[str, Any] = {"published": publisher.publish_events(lines.events(advance))}
                except EventError as error:
                    error.add_note(f"this is line {lines.number}")
                    raise
        else:
            one = _parsed(key, b"".join(body_lines(body)))
            told = {"event_id": publisher.publish_event(key, one, event_id=event_id)}
    if form == "json":
        echo_json(told)
    else:
        click.echo(f"published {told['published']:,} events" if many else told["event_id"])


class _Lines:
    """One JSON object a line; ``number`` is the line that was read last."""

    def __init__(self, key: str, body: str) -> None:
        self.number = 0
        self._key = key
        self._body = body

    def events(self, advance: Callable[[int], None]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for line in body_lines(self._body):
            self.number += 1
            if line.strip():
                yield self._key, _parsed(self._key, line)
                advance(1)


def _parsed(where: str, text: bytes) -> Mapping[str, Any]:
    from typed_pubsub.errors import EventError
    from typed_pubsub.events.codec import BodyError, read_json

    try:
        body: Mapping[str, Any] = read_json(text)
    except BodyError as error:
        raise EventError(where, str(error)) from error
    return body
