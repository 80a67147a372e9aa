"""Brokers without a server, and the programs that use them, each a process of its own.

``python -m benchmarks.noserver declare|subscribe JSON``: kombu's virtual transports keep bindings in the process, so
whatever another service does is done by another process here too.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import kombu

from benchmarks import service
from benchmarks.broker import EVENTS, TASKS
from benchmarks.events import EXCHANGE, KEY, make_events
from typed_pubsub import Publisher, PubSubConfig, Subscriber


@dataclass(frozen=True, slots=True)
class Broker:
    """A broker without a server, fresh: what kombu needs to find it."""

    url: str
    options: dict[str, Any] = field(default_factory=dict[str, Any])

    def connect(self) -> kombu.Connection:
        """A connection of kombu's own."""
        return kombu.Connection(self.url, transport_options=dict(self.options))


def embedded(directory: Path) -> Broker:
    """Ours."""
    return Broker(f"sqlite:///{directory}/broker.db")


def filesystem(directory: Path) -> Broker:
    """kombu's: a file a message."""
    folders = {"data_folder_in": "data", "data_folder_out": "data", "control_folder": "control"}
    for name in set(folders.values()):
        (directory / name).mkdir()
    return Broker("filesystem://", {option: str(directory / name) for option, name in folders.items()})


def sqlalchemy(directory: Path) -> Broker:
    """kombu's: a row a message, on SQLite too."""
    return Broker(f"sqla+sqlite:///{directory}/sqla.db")


def declare(broker: Broker) -> None:
    """The queues and the binding."""
    exchange = kombu.Exchange(EXCHANGE, "topic", durable=True)
    with broker.connect() as connection:
        for queue in (kombu.Queue(EVENTS, exchange, routing_key="bench.#"), kombu.Queue(TASKS)):
            queue(connection.default_channel).declare()


def publish(broker: Broker, count: int, *, ours: bool, exchange: str, key: str) -> None:
    """Persistent events; ours with ``publish_many``, confirmed, others with kombu's producer."""
    if ours and exchange:
        with Publisher(PubSubConfig(broker_url=broker.url, exchange=exchange, unroutable="raise")) as publisher:
            publisher.publish_many(make_events(count))
        return
    with broker.connect() as connection:
        producer = connection.Producer()
        for event in make_events(count):
            body = event.model_dump_json()
            written: dict[str, Any] = {
                "content_type": "application/json",
                "content_encoding": "utf-8",
                "delivery_mode": 2,
            }
            if exchange:
                written["declare"] = [kombu.Exchange(exchange, "topic", durable=True)]
            else:
                # Straight on a queue its key travels along (docs/wire-format.md).
                written["headers"] = {"x-pubsub-routing-key": KEY}
            producer.publish(body, exchange=exchange, routing_key=key, **written)


def subscribe(broker: Broker, *, ours: bool) -> None:
    """A subscriber, until it is killed."""
    service.app.conf.broker_transport_options = broker.options
    service.app.finalize()
    if ours:
        Subscriber(PubSubConfig(service.mapping, lambda: service.app, broker.url, EXCHANGE, EVENTS)).start()
    else:
        service.HandWritten(broker.connect()).run()


@contextmanager
def running(what: str, broker: Broker, *, ours: bool = False) -> Iterator[subprocess.Popen[bytes]]:
    """One of the programs, killed at the end if it has not ended by then."""
    told = json.dumps({**asdict(broker), "ours": ours})
    environment = {**os.environ, "BENCH_URL": broker.url}
    command = [sys.executable, "-m", "benchmarks.noserver", what, told]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def main() -> None:
    """One of the programs."""
    what, told = sys.argv[1], json.loads(sys.argv[2])
    broker = Broker(told["url"], told["options"])
    if what == "declare":
        declare(broker)
    else:
        subscribe(broker, ours=told["ours"])


if __name__ == "__main__":
    main()
