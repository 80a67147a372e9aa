"""pika's BlockingConnection."""

from typing import Any

import pika

from benchmarks.events import EXCHANGE, KEY, PlainMatch, make_plain
from benchmarks.program import Job, many, one_by_one, run

_PROPERTIES = pika.BasicProperties(content_type="application/json", content_encoding="utf-8", delivery_mode=2)


def _open(job: Job) -> tuple[Any, Any]:
    connection: Any = pika.BlockingConnection(pika.URLParameters(job.url))
    channel = connection.channel()
    if job.confirm:
        channel.confirm_delivery()
    return connection, channel


def _publish(channel: Any, event: PlainMatch) -> None:
    channel.basic_publish(EXCHANGE, KEY, event.model_dump_json(), _PROPERTIES)


def publish(job: Job) -> None:
    """One after the other, with ``confirm`` each waiting for its confirm."""
    connection, channel = _open(job)

    def each(events: Any) -> None:
        for event in events:
            _publish(channel, event)
        connection.process_data_events()

    many(job, make_plain, each)


def request(job: Job) -> None:
    """One publication now and then."""
    _, channel = _open(job)
    one_by_one(job, make_plain, lambda event: _publish(channel, event))


if __name__ == "__main__":
    run({"publish": publish, "request": request})
