"""A queue made anew while its publishers go on: nothing lost, nothing twice, and the same after any interruption."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.amqp import declare, linked, message, send, take_all
from tests.support.children import Child
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub import Publisher, PubSubConfig, Registry, StructEvent, TopologyRefused
from typed_pubsub.brokers.queues import how_made
from typed_pubsub.brokers.topology import Topology, queue_arguments
from typed_pubsub.ops.topology.migrate import Migration
from typed_pubsub.ops.topology.values import Binding, Queue

REGISTRY = Registry()
QUORUM = queue_arguments("q", quorum=True, limits_deliveries=False)
BINDINGS = (Binding("events", "q", "a.#"), Binding("events", "q", "c.*"))
SETTLE = 1.0


class Happened(StructEvent, routing_key="a.happened", registry=REGISTRY):
    """Something, with its number."""

    number: int


def make(url: str) -> None:
    with linked(url) as link:
        Topology("events", "q", ("a.#", "c.*")).ensure(link)


def publish(url: str, numbers: range) -> None:
    config = PubSubConfig(broker_url=url, exchange="events", publish_timeout=60, unroutable="raise")
    with Publisher(config, registry=REGISTRY) as publisher:
        publisher.publish_many(Happened(number=number) for number in numbers)


@contextmanager
def publishing(url: str, first: int) -> Iterator[list[int]]:
    """A publisher of several hundred events a second, beside; the numbers that were confirmed."""
    done: list[int] = []
    raised: list[BaseException] = []
    stop = threading.Event()

    def run() -> None:
        config = PubSubConfig(broker_url=url, exchange="events", publish_timeout=60, unroutable="raise")
        try:
            with Publisher(config, registry=REGISTRY) as publisher:
                while not stop.is_set():
                    batch = range(first + len(done), first + len(done) + 20)
                    publisher.publish_many([Happened(number=number) for number in batch])
                    done.extend(batch)
                    time.sleep(0.03)
        except BaseException as error:  # noqa: BLE001  # raised again below
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield done
    finally:
        stop.set()
        thread.join(60)
    assert not raised, raised


def numbers_in(url: str) -> list[int]:
    """Of all events that are in the queue, in their order; none stays."""
    with linked(url) as link:
        channel = link.channel()
        left = channel.queue_declare("q", passive=True)[1]
        found: list[int] = []
        channel.basic_consume("q", no_ack=True, callback=lambda came: found.append(json.loads(came.body)["number"]))
        while len(found) < left or link.drain(0.5):
            link.drain(0.5)
        return found


def migration(url: str, **given: Any) -> Migration:
    return Migration(url, Queue("q", QUORUM), **{"bindings": BINDINGS, "settle": SETTLE, **given})


def is_quorum(url: str, queue: str = "q") -> bool:
    with linked(url) as link:
        return how_made(link, queue).arguments.get("x-queue-type") == "quorum"


def test_a_backlog_is_carried_over_while_a_publisher_goes_on(vhost_url: str) -> None:
    make(vhost_url)
    publish(vhost_url, range(3_000))
    told: list[str] = []
    with publishing(vhost_url, 3_000) as published:
        eventually(lambda: len(published) >= 200, what="the publisher's stride")
        early = 3_000 + len(published)
        migration(vhost_url, tell=told.append).run()
        carried = len(published)
        eventually(lambda: len(published) >= carried + 200, what="events after the migration")
    numbers = numbers_in(vhost_url)
    assert len(published) > 500, "the publisher was slow: nothing was tried"
    assert Counter(numbers) == Counter(range(3_000 + len(published)))
    assert is_quorum(vhost_url)
    assert queue_state(vhost_url, "q.migrating") is None
    assert "delete queue 'q.migrating'" in told
    # Of those that come while the bindings change RabbitMQ 3.10 may put some first: what it had sent to a reader of a
    # quorum queue that was gone by then.
    backlog = [number for number in numbers if number < early]
    assert backlog == sorted(backlog), "the order of what was there is kept"


def test_an_empty_queue_without_publishers_is_made_anew(vhost_url: str) -> None:
    make(vhost_url)
    migration(vhost_url, settle=0.0).run()
    assert is_quorum(vhost_url)
    publish(vhost_url, range(3))
    assert numbers_in(vhost_url) == [0, 1, 2], "it is bound"


def test_a_queue_that_is_as_it_shall_be_is_left_alone(vhost_url: str) -> None:
    with linked(vhost_url) as link:
        Topology("events", "q", ("a.#",), quorum=True).ensure(link)
    publish(vhost_url, range(3))
    told: list[str] = []
    migration(vhost_url, tell=told.append).run()
    assert (told, numbers_in(vhost_url)) == ([], [0, 1, 2])


def test_quorum_becomes_classic_too(vhost_url: str) -> None:
    with linked(vhost_url) as link:
        Topology("events", "q", ("a.#",), quorum=True).ensure(link)
    publish(vhost_url, range(3))
    Migration(vhost_url, Queue("q"), BINDINGS, settle=0.0).run()
    assert not is_quorum(vhost_url)
    assert numbers_in(vhost_url) == [0, 1, 2]


def test_a_dead_letter_queue_is_made_anew_without_any_binding(vhost_url: str) -> None:
    make(vhost_url)
    for number in range(5):
        send(vhost_url, "", "q.dlq", message(b"%d" % number, {"x-pubsub-routing-key": "a.b", "x-pubsub-time": "now"}))
    Migration(vhost_url, Queue("q.dlq", {"x-queue-type": "quorum"})).run()
    assert is_quorum(vhost_url, "q.dlq")
    found = take_all(vhost_url, "q.dlq")
    assert [letter.body for letter in found] == [b"0", b"1", b"2", b"3", b"4"]
    assert {letter.headers["x-pubsub-routing-key"] for letter in found} == {"a.b"}


def test_the_embedded_brokers_queues_are_made_anew_too(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/broker.db"
    declare(url, "q", {"x-max-length": 100_000}, events="a.#")
    publish(url, range(300))
    with publishing(url, 300) as published:
        Migration(url, Queue("q", {"x-delivery-limit": 50}), BINDINGS, settle=0.1).run()
    assert Counter(numbers_in(url)) == Counter(range(300 + len(published)))


def test_a_queue_with_a_consumer_is_refused_and_left_as_it_was(vhost_url: str) -> None:
    make(vhost_url)
    publish(vhost_url, range(3))
    with broker(vhost_url) as connection:
        connection.default_channel.basic_consume("q", callback=lambda _: None)
        with pytest.raises(TopologyRefused, match="queue 'q' has 1 consumer: stop its subscribers, run this again"):
            migration(vhost_url).run()
    assert queue_state(vhost_url, "q.migrating") is None
    assert sorted(numbers_in(vhost_url)) == [0, 1, 2]


def test_a_stream_and_an_auto_delete_queue_are_refused(vhost_url: str) -> None:
    declare(vhost_url, "q", {"x-queue-type": "stream"})
    with pytest.raises(TopologyRefused, match="is a stream"):
        migration(vhost_url).run()
    with broker(vhost_url) as connection:
        connection.default_channel.queue_delete("q")
        connection.default_channel.queue_declare("q", durable=True, auto_delete=True)
    with pytest.raises(TopologyRefused, match="auto-delete"):
        migration(vhost_url).run()


def test_a_queue_that_goes_on_filling_is_not_deleted_and_nothing_is_lost(
    vhost_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typed_pubsub.ops.topology.migrate._TRIES", 2)
    make(vhost_url)
    publish(vhost_url, range(300))
    with publishing(vhost_url, 300) as published:
        with pytest.raises(TopologyRefused, match="queue 'q' does not become empty: somebody sends to it"):
            migration(vhost_url, bindings=BINDINGS[1:], settle=0.2).run()
        migration(vhost_url).run()
    assert Counter(numbers_in(vhost_url)) == Counter(range(300 + len(published)))


def test_beyond_the_ordered_ones_nothing_is_lost_or_twice_either(
    vhost_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("typed_pubsub.ops.topology.migrate.ORDERED", 100)
    make(vhost_url)
    publish(vhost_url, range(1_000))
    with publishing(vhost_url, 1_000) as published:
        migration(vhost_url).run()
    assert Counter(numbers_in(vhost_url)) == Counter(range(1_000 + len(published)))


# ------------------------------------------------------------------------------------------------- interrupted

SCRIPT = f"""
import sys
from typed_pubsub.ops.topology.migrate import Migration
from typed_pubsub.ops.topology.values import Binding, Queue

way = moved = 0


def tell(line):
    global way, moved
    if line.startswith("move "):
        way, moved = way + 1, 0
    print(line, flush=True)


def advance(more):
    global moved
    moved += more
    print("MOVED", way, moved, flush=True)


bindings = (Binding("events", "q", "a.#"), Binding("events", "q", "c.*"))
queue = Queue("q", {QUORUM!r})
Migration(sys.argv[1], queue, bindings, tell, advance, {SETTLE}).run()
print("DONE", flush=True)
"""

POINTS = [
    "create queue 'q.migrating'",
    "move the messages of 'q' to 'q.migrating'",
    "MOVED 1 600",
    "bind queue 'q.migrating'",
    "look for events that both 'q' and",
    "MOVED 2 ",
    "delete queue 'q'",
    "create queue 'q' ",
    "MOVED 3 600",
    "bind queue 'q' ",
    "look for events that both 'q.migrating' and",
    "MOVED 4 ",
    "delete queue 'q.migrating'",
]


#: In `make test`; the others take minutes.
FEW = [["MOVED 1 600"], ["bind queue 'q.migrating'", "MOVED 2 "], ["create queue 'q' ", "MOVED 1 600"]]


@pytest.mark.parametrize(
    "points", [*FEW, *(pytest.param([point], marks=pytest.mark.slow) for point in POINTS)], ids="+".join
)
def test_killed_at_any_point_and_run_again_nothing_is_lost_and_nothing_is_there_twice(
    vhost_url: str, tmp_path: Path, points: list[str]
) -> None:
    (tmp_path / "migrate.py").write_text(SCRIPT)
    make(vhost_url)
    publish(vhost_url, range(2_000))
    with publishing(vhost_url, 2_000) as published:
        for point in points:
            with Child("migrate.py", vhost_url, cwd=tmp_path) as child:
                child.wait_for(point)
                child.signal(signal.SIGKILL)
        with Child("migrate.py", vhost_url, cwd=tmp_path) as child:
            assert child.wait() == 0, child.output
    assert Counter(numbers_in(vhost_url)) == Counter(range(2_000 + len(published)))
    assert is_quorum(vhost_url)
    assert queue_state(vhost_url, "q.migrating") is None
