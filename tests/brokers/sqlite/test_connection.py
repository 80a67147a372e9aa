"""The connection among threads and processes: quick to notice, idle when nothing happens, right under contention."""

import re
import sqlite3
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from amqp.exceptions import NotFound, PreconditionFailed, ResourceLocked

from tests.brokers.test_pool import FORKING
from tests.conformance.kit import made, nothing, take
from tests.subscriber.kit import QUEUE, REGISTRY, Happened, publish, reaches, settings, tasks
from tests.support.amqp import TIMEOUT, declare, linked, take_all, wait_for_count
from tests.support.children import Child, run
from tests.support.rabbit import broker, eventually, queue_state
from tests.support.services import running
from typed_pubsub.brokers.confirms import ConfirmChannel
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.topology import Topology

TOPOLOGY = Topology("an_exchange", "a_queue", ("#",))


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/a.db"
    with linked(url) as link:
        TOPOLOGY.ensure(link)
    return url


WATCHER = """
import sys, time
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology

consumer = Consumer(EventBroker(sys.argv[1]).connect(30), Topology("an_exchange", "a_queue", ("#",)), 10)
print("watches", flush=True)
while True:
    if consumer.receive(1.0):
        for delivery in consumer.take(10):
            late = time.monotonic() - float(delivery.body)
            consumer.ack(delivery.tag)
            print(f"late {late}", flush=True)
"""


@pytest.mark.alone
def test_another_process_notices_a_message_within_fifty_milliseconds(url: str, tmp_path: Path) -> None:
    with Child("-c", WATCHER, url, cwd=tmp_path) as watcher, linked(url) as link:
        watcher.wait_for("watches")
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        for number in range(30):
            # Each finds the watcher asleep.
            wake = time.monotonic() + 0.05
            eventually(lambda at=wake: time.monotonic() > at)  # type: ignore[misc]
            channel.put(number, made(number, str(time.monotonic()).encode()), "an_exchange", "a.key")
            channel.flush(TIMEOUT, nothing)
            watcher.wait_for("late", count=number + 1)
        late = sorted(float(line.split()[1]) for line in watcher.wait_for("late", count=30))
    # The machine is shared with its own processes: nine of ten, and the median well below.
    assert late[26] < 0.05, late
    assert late[15] < 0.035, late


# The least that notices a change of the file.
LOOKER = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1].removeprefix("sqlite:///"))
print("looks", flush=True)
while True:
    connection.execute("pragma data_version").fetchone()
    time.sleep(0.02)
"""


@pytest.mark.once
def test_waiting_for_messages_costs_few_wakes_and_little_more_than_looking(url: str, tmp_path: Path) -> None:
    """What fifty looks a second cost differs by machine: a loop that does nothing else runs beside it."""

    def spent(child: Child) -> tuple[float, int]:
        """Seconds of the CPU, and how often a thread has gone to sleep."""
        threads = [*Path(f"/proc/{child.pid}/task").iterdir()]
        seconds = sum(int((each / "schedstat").read_text().split()[0]) for each in threads) / 1e9
        said = "".join((each / "status").read_text() for each in threads)
        return seconds, sum(map(int, re.findall(r"^voluntary_ctxt_switches:\s*(\d+)", said, re.MULTILINE)))

    with Child("-c", WATCHER, url, cwd=tmp_path) as watcher, Child("-c", LOOKER, url, cwd=tmp_path) as looker:
        watcher.wait_for("watches")
        looker.wait_for("looks")
        before = [spent(child) for child in (watcher, looker)]
        begun = time.monotonic()
        eventually(lambda: time.monotonic() > begun + 5.0)
        lasted = time.monotonic() - begun
        after = [spent(child) for child in (watcher, looker)]
    (watching, wakes), (looking, _) = (
        (end[0] - begin[0], end[1] - begin[1]) for begin, end in zip(before, after, strict=True)
    )
    assert 0 < wakes / lasted < 75
    assert 0 < watching < 5 * looking, (watching / lasted, looking / lasted)


WRITER = """
import sys
from typed_pubsub import Publisher, PubSubConfig, Registry, StructEvent

class Written(StructEvent, routing_key="app.written"):
    number: int

url, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
config = PubSubConfig(broker_url=url, exchange="an_exchange", publish_timeout=60, unroutable="raise")
with Publisher(config) as publisher:
    for number in range(first, first + count):
        publisher.publish(Written(number=number))
    publisher.publish_many(Written(number=number) for number in range(first + count, first + 2 * count))
print("written", flush=True)
"""

READER = """
import sys
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology

consumer = Consumer(EventBroker(sys.argv[1]).connect(30), Topology("an_exchange", "a_queue", ("#",)), 20)
print("reads", flush=True)
while True:
    consumer.receive(1.0)
    for delivery in consumer.take(20):
        consumer.ack(delivery.tag)
        print("got", delivery.body.decode(), delivery.redelivered, flush=True)
"""


@pytest.mark.once
def test_two_writers_and_three_readers_at_once_lose_nothing_and_double_nothing(url: str, tmp_path: Path) -> None:
    readers = [Child("-c", READER, url, cwd=tmp_path) for _ in range(3)]
    try:
        for reader in readers:
            reader.wait_for("reads")
        writers = [Child("-c", WRITER, url, str(first), "500", cwd=tmp_path) for first in (0, 1_000)]
        for writer in writers:
            with writer:
                writer.wait_for("written")
        wait_for_count(url, "a_queue", 0)
        eventually(lambda: sum(len(reader.lines) for reader in readers) == 2_000 + 3, what="2,000 deliveries")
        got = Counter(line.split()[1] for reader in readers for line in reader.wait_for("got"))
        assert all(line.endswith("False") for reader in readers for line in reader.wait_for("got")), "none came again"
    finally:
        for reader in readers:
            reader.__exit__(None, None, None)
    assert got == Counter({f'{{"number":{number}}}': 1 for number in range(2_000)})
    connection = sqlite3.connect(tmp_path / "a.db")
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


def test_a_thread_may_acknowledge_what_another_waits_for(url: str) -> None:
    with linked(url) as publishing, linked(url) as consuming:
        channel: ConfirmChannel[int] = ConfirmChannel(publishing)
        for number in range(500):
            channel.put(number, made(number), "an_exchange", "a.key")
        channel.flush(TIMEOUT, nothing)
        consumer = Consumer(consuming, TOPOLOGY, 10)
        acknowledged: list[int] = []

        def acknowledge(tags: list[int]) -> None:
            for tag in tags:
                consumer.ack(tag)
                acknowledged.append(tag)

        threads: list[threading.Thread] = []
        while len(threads) < 50:
            tags = [delivery.tag for delivery in take(consumer, 10)]
            threads.append(threading.Thread(target=acknowledge, args=(tags,)))
            threads[-1].start()
        for thread in threads:
            thread.join(TIMEOUT)
        assert sorted(acknowledged) == list(range(1, 501))
    wait_for_count(url, "a_queue", 0)


def test_a_consumer_that_acknowledges_nothing_gets_everything(url: str) -> None:
    with linked(url) as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        for number in range(1_000):
            channel.put(number, made(number), "an_exchange", "a.key")
        channel.flush(TIMEOUT, nothing)
    with broker(url) as connection:
        got: list[int] = []
        connection.default_channel.basic_consume("a_queue", no_ack=True, callback=lambda found: got.append(found.body))
        while len(got) < 1_000:
            connection.drain_events(timeout=5)
    assert [int(body) for body in got] == list(range(1_000))
    assert queue_state(url, "a_queue").message_count == 0


def test_processes_that_make_the_file_at_the_same_time_make_one(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    children = [Child("-c", WRITER, url, str(first), "10", cwd=tmp_path) for first in range(0, 120, 20)]
    declare(url, "a_queue", an_exchange="#")
    for child in children:
        with child:
            child.wait()
    # Who was quicker than the queue was told so.
    assert all(child.stdout == ["written"] or "no queue takes the event" in child.output for child in children)
    connection = sqlite3.connect(tmp_path / "new.db")
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


def test_what_kombu_publishes_is_there_when_the_call_returns(url: str) -> None:
    with broker(url) as connection:
        channel = connection.default_channel
        channel.basic_publish(made(1), exchange="an_exchange", routing_key="a.key")
        assert queue_state(url, "a_queue").message_count == 1
        with pytest.raises(NotFound, match="no exchange 'missing'"):
            channel.basic_publish(made(2), exchange="missing", routing_key="a.key")
        with pytest.raises(FAULTS, match="NO_ROUTE"):
            channel.basic_publish(made(3), exchange="", routing_key="nowhere", mandatory=True)
        channel.basic_publish(made(4), exchange="an_exchange", routing_key="a.key")
    assert [int(found.body) for found in take_all(url, "a_queue")] == [1, 4]


def test_what_could_not_be_written_when_it_was_published_is_never_written_later(url: str, tmp_path: Path) -> None:
    with broker(url) as connection:
        channel = connection.connection.channel()
        connection.connection.limit(0.2)
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        other.execute("begin immediate")
        with pytest.raises(FAULTS, match="is locked by another process"):
            channel.basic_publish(made(1), exchange="an_exchange", routing_key="a.key")
        other.execute("rollback")
        other.close()
        channel.basic_publish(made(2), exchange="an_exchange", routing_key="a.key")
    assert [int(found.body) for found in take_all(url, "a_queue")] == [2]


def test_declaring_the_same_again_is_nothing_and_anything_else_is_refused(url: str) -> None:
    with broker(url) as connection:
        channel = connection.default_channel
        channel.queue_declare("mine", durable=True, auto_delete=False, arguments={"x-message-ttl": 10_000})
        channel.queue_declare("mine", durable=True, auto_delete=False, arguments={"x-message-ttl": 10_000})
        with pytest.raises(PreconditionFailed, match="inequivalent arg 'arguments' for queue 'mine'"):
            channel.queue_declare("mine", durable=True, auto_delete=False)
        with pytest.raises(PreconditionFailed, match="inequivalent arg 'type' for exchange 'an_exchange'"):
            channel.exchange_declare("an_exchange", "direct", durable=True, auto_delete=False)
        with pytest.raises(PreconditionFailed, match="exchange type 'headers': the embedded broker has direct, fanout"):
            channel.exchange_declare("other", "headers", durable=True, auto_delete=False)
        channel.queue_declare("private", exclusive=True)
        with broker(url) as another, pytest.raises(ResourceLocked, match="'private'"):
            another.default_channel.queue_declare("private", passive=True)


def test_a_queue_that_was_to_go_with_its_last_consumer_goes_with_it(url: str) -> None:
    with broker(url) as connection:
        channel = connection.default_channel
        channel.exchange_declare("passing", "direct", auto_delete=True)
        channel.queue_declare("passing", auto_delete=True)
        channel.queue_bind("passing", "passing", routing_key="key")
        tag = channel.basic_consume("passing", callback=lambda message: None)
        channel.basic_cancel(tag)
        with pytest.raises(NotFound, match="queue 'passing'"):
            channel.queue_declare("passing", passive=True)
        with pytest.raises(NotFound, match="exchange 'passing'"):
            channel.exchange_declare("passing", "direct", passive=True)


def test_the_process_has_one_keeper_of_a_file_and_it_ends_with_the_last_session(url: str, tmp_path: Path) -> None:
    def keepers() -> int:
        return sum(thread.name == f"typed_pubsub {tmp_path}/a.db" for thread in threading.enumerate())

    with linked(url) as one, linked(url) as other:
        Consumer(one, TOPOLOGY, 1)
        Consumer(other, TOPOLOGY, 1)
        assert keepers() == 1
    eventually(lambda: keepers() == 0)


def test_a_file_that_is_taken_away_under_a_subscriber_is_noticed_and_a_new_one_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    url = f"sqlite:///{path}"
    with running(settings(url), REGISTRY) as subscriber:
        publish(url, [Happened(number=1)])
        reaches(subscriber, scheduled=1)
        for file in tmp_path.glob("a.db*"):
            file.unlink()
        eventually(lambda: subscriber.outcomes.get("faults"))
        eventually(lambda: (state := queue_state(url, QUEUE)) and state.consumer_count)
        publish(url, [Happened(number=2)])
        reaches(subscriber, scheduled=2)
    assert [number for number, _ in tasks(url)] == [2]


def test_forked_publishers_open_connections_of_their_own(url: str, tmp_path: Path) -> None:
    child = run("-c", FORKING, url, cwd=tmp_path)
    assert child.wait() == 0, child.output
    by = Counter(found.body.decode() for found in take_all(url, "a_queue"))
    assert by == {
        '{"by":"before"}': 1, '{"by":"meanwhile"}': 2, '{"by":"after"}': 1,
        '{"by":"child 0"}': 20, '{"by":"child 1"}': 20,
    }  # fmt: skip
