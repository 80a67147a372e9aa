"""kombu, as one uses it without a library on top: a Producer, and a ConsumerMixin with ``apply_async``."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import kombu
from kombu.mixins import ConsumerMixin

from benchmarks import service
from benchmarks.broker import EVENTS
from benchmarks.events import EXCHANGE, KEY, BenchMatchPublished, PlainMatch, make_plain
from benchmarks.program import Job, Tally, many, one_by_one, run
from typed_pubsub.events.message import Context, compose
from typed_pubsub.events.registry import meta_of


def _producer(job: Job) -> Any:
    return kombu.Connection(job.url, transport_options={"confirm_publish": job.confirm}).Producer()


def _publish(producer: Any, event: PlainMatch) -> None:
    producer.publish(
        event.model_dump_json(),
        exchange=EXCHANGE,
        routing_key=KEY,
        content_type="application/json",
        content_encoding="utf-8",
        delivery_mode=2,
    )


def publish(job: Job) -> None:
    """One after the other, with ``confirm`` each waiting for its confirm."""
    producer = _producer(job)

    def each(events: Any) -> None:
        for event in events:
            _publish(producer, event)

    many(job, make_plain, each)


def publish_alike(job: Job) -> None:
    """Unconfirmed, but the message is ours to the last header, for these cost the broker its time too."""
    producer = _producer(job)

    def each(events: Any) -> None:
        for event in events:
            now, event_id = datetime.now(UTC), str(uuid4())
            like = compose(meta_of(BenchMatchPublished), KEY, b"", event_id, Context("bench", now))
            producer.publish(
                event.model_dump_json(), exchange=EXCHANGE, routing_key=KEY, headers=like.headers, **like.properties
            )

    many(job, make_plain, each)


def request(job: Job) -> None:
    """One publication now and then."""
    producer = _producer(job)
    one_by_one(job, make_plain, lambda event: _publish(producer, event))


def hand_off(job: Job) -> None:
    """The hand-written subscriber; with ``confirm`` each task waits for its confirm."""
    if job.confirm:
        service.app.conf.broker_transport_options = {"confirm_publish": True}
    service.HandWritten(kombu.Connection(job.url)).run()


class _Consuming(ConsumerMixin):
    """Consumes, validates and acknowledges, nothing else."""

    def __init__(self, job: Job) -> None:
        self.connection = kombu.Connection(job.url)
        self._tally = Tally(job)

    def get_consumers(self, Consumer: Any, channel: Any) -> Sequence[Any]:  # noqa: ARG002, N803  # kombu's signature
        """One consumer, with our prefetch."""
        queue = kombu.Queue(EVENTS, no_declare=True)
        return [Consumer([queue], on_message=self.on_message, prefetch_count=200)]

    def on_message(self, message: Any) -> None:
        """One event."""
        event = BenchMatchPublished.model_validate_json(message.body)
        message.ack()
        self._tally.add(event.match_id)


def consume(job: Job) -> None:
    """No task."""
    _Consuming(job).run()


if __name__ == "__main__":
    run(
        {
            "publish": publish,
            "publish_alike": publish_alike,
            "request": request,
            "hand_off": hand_off,
            "consume": consume,
        }
    )
