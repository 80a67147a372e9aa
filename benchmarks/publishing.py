"""Publishing: seconds from the first event to the last one's being safe, or, unconfirmed, on the queue."""

import time
from collections.abc import Callable
from typing import Any

import kombu

from benchmarks.broker import EVENTS, Bench
from benchmarks.events import EXCHANGE, KEY, make_events
from typed_pubsub import Publisher, PubSubConfig


def ours(bench: Bench, count: int) -> None:
    """``publish_many``: validated, mandatory, confirmed."""
    with Publisher(PubSubConfig(broker_url=bench.url, exchange=EXCHANGE, unroutable="raise")) as publisher:
        publisher.publish_many(make_events(count))


def kombu_confirmed(bench: Bench, count: int) -> None:
    """One publish after the other, each waiting for its confirm."""
    _kombu(bench, count, confirm_publish=True)


def kombu_unconfirmed(bench: Bench, count: int) -> None:
    """Fire and forget; the clock stops when the queue has them all."""
    _kombu(bench, count)
    bench.wait_for(EVENTS, count)


def _kombu(bench: Bench, count: int, **options: Any) -> None:
    with kombu.Connection(bench.url, transport_options=options) as connection:
        producer = connection.Producer()
        for event in make_events(count):
            producer.publish(
                event.model_dump_json(),
                exchange=EXCHANGE,
                routing_key=KEY,
                content_type="application/json",
                content_encoding="utf-8",
                delivery_mode=2,
            )


def measure(publish: Callable[[Bench, int], None], url: str, count: int) -> tuple[float, float]:
    """Events a second, all of them counted on the queue, and microseconds of this process's CPU an event."""
    with Bench(url) as bench:
        cpu, begun = time.process_time(), time.perf_counter()
        publish(bench, count)
        seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
        bench.wait_for(EVENTS, count)
    return count / seconds, cpu / count * 1e6
