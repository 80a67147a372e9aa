"""The broker's file: wrong ones are refused with a sentence, a full disk loses nothing, and it stays small."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.kit import drained, made, nothing
from tests.conftest import need
from tests.support.amqp import linked, take_all
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub import MisconfigurationException, Publisher, PublishFailed, PubSubConfig, Registry, StructEvent
from typed_pubsub.brokers.confirms import ConfirmChannel
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.topology import Topology

REGISTRY = Registry()
TOPOLOGY = Topology("an_exchange", "a_queue", ("#",))
MEGABYTE = 1024 * 1024


class Filled(StructEvent, routing_key="app.filled", registry=REGISTRY):
    number: int
    padding: str = ""


def publisher(path: Path, timeout: float = 20.0) -> Publisher:
    config = PubSubConfig(broker_url=f"sqlite:///{path}", exchange="an_exchange", publish_timeout=timeout)
    return Publisher(config, registry=REGISTRY)


def ensure(path: Path) -> None:
    with linked(f"sqlite:///{path}") as link:
        TOPOLOGY.ensure(link)


def execute(path: Path, script: str) -> None:
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()


def of_another_version(path: Path) -> None:
    ensure(path)
    execute(path, "pragma user_version = 99")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs", str(mounted)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        need("only root can mount a small disk" if os.getuid() else "mount does not work here")
    yield mounted
    subprocess.run(["umount", "--lazy", str(mounted)], check=True)


def remount(disk: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        pytest.param(lambda path: path.mkdir(), "is a directory: name a file", id="a directory"),
        pytest.param(
            lambda path: path.write_bytes(b"something else, and long enough " * 64),
            "is a file of something else: give the embedded broker a file of its own",
            id="no database",
        ),
        pytest.param(
            lambda path: execute(path, "create table a (b); pragma user_version = 3"),
            "is a database of something else",
            id="another's database",
        ),
        pytest.param(
            of_another_version,
            "was made by another version of typed_pubsub .format 99, this one reads 1.",
            id="another version's",
        ),
    ],
)
def test_a_file_that_is_no_brokers_is_refused_and_left_as_it_is(tmp_path: Path, prepare: object, said: str) -> None:
    path = tmp_path / "a.db"
    assert callable(prepare)
    prepare(path)
    before = path.read_bytes() if path.is_file() else b""
    with publisher(path) as publishing, pytest.raises(MisconfigurationException, match=said):
        publishing.publish(Filled(number=1))
    assert (path.read_bytes() if path.is_file() else b"") == before
    assert not list(tmp_path.glob("a.db-journal"))


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with publisher(tmp_path / "no" / "a.db") as publishing, pytest.raises(MisconfigurationException) as raised:
        publishing.publish(Filled(number=1))
    assert str(raised.value).endswith(f"cannot be made: there is no directory {tmp_path / 'no'}")


def test_a_read_only_disk_is_said_to_be_one(disk: Path) -> None:
    remount(disk, "ro")
    with (
        publisher(disk / "a.db") as publishing,
        pytest.raises(MisconfigurationException, match="its disk is read-only"),
    ):
        publishing.publish(Filled(number=1))


def test_a_full_disk_loses_nothing_that_was_confirmed_and_is_gone_on_with_when_there_is_room(disk: Path) -> None:
    path = disk / "a.db"
    ensure(path)
    confirmed = 0

    def fill() -> None:
        nonlocal confirmed
        while confirmed < 1_000:
            publishing.publish(Filled(number=confirmed, padding="x" * 20_000))
            confirmed += 1

    with publisher(path, timeout=1.0) as publishing:
        with pytest.raises(PublishFailed, match="the disk is full") as raised:
            fill()
        assert confirmed > 10
        assert (raised.value.confirmed, len(raised.value.unknown) + len(raised.value.unsent)) == (0, 1)
        remount(disk, "size=8m")
        publishing.publish(Filled(number=confirmed, padding="x" * 20_000))
    bodies = [found.body for found in take_all(f"sqlite:///{path}", "a_queue")]
    assert [int(body.partition(b",")[0].rpartition(b":")[2]) for body in bodies] == list(range(confirmed + 1))


def test_a_file_that_is_taken_away_is_never_written_to_again(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    ensure(path)
    with linked(f"sqlite:///{path}") as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        channel.put(1, made(1), "an_exchange", "a.key")
        channel.flush(10, nothing)
        path.rename(tmp_path / "b.db")
        channel.put(2, made(2), "an_exchange", "a.key")
        with pytest.raises(FAULTS, match="was moved or deleted while it was open"):
            channel.flush(10, nothing)
        assert channel.take_outcomes().keys() == {1}


@pytest.mark.once
def test_the_file_stays_as_small_as_what_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    ensure(path)

    def publish(count: int) -> None:
        with publisher(path, timeout=60.0) as publishing:
            publishing.publish_many(Filled(number=number, padding="x" * 10_000) for number in range(count))

    with linked(f"sqlite:///{path}") as link:
        consumer = Consumer(link, TOPOLOGY, 1_000)
        for _ in range(20):
            publish(100)
            consumer.ack(drained(consumer, 0.1)[-1].tag, multiple=True)
        after_twenty_megabytes = path.stat().st_size
        assert after_twenty_megabytes < 5 * MEGABYTE
        publish(2_500)
        assert path.stat().st_size > 20 * MEGABYTE
        while batch := drained(consumer, 0.1):
            consumer.ack(batch[-1].tag, multiple=True)
        eventually(lambda: path.stat().st_size < 5 * MEGABYTE, what="a small file")
        assert path.with_name("a.db-wal").stat().st_size <= 5 * MEGABYTE


def test_a_file_that_others_keep_locked_is_waited_for_and_then_told_of(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    ensure(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with publisher(path, timeout=1.0) as publishing:
        with pytest.raises(PublishFailed, match="not confirmed within 1 s"):
            publishing.publish(Filled(number=1))
        other.execute("rollback")
        other.close()
        publishing.publish(Filled(number=2))
    with linked(f"sqlite:///{path}") as link:
        consumer = Consumer(link, TOPOLOGY, 10)
        assert b'"number":2' in drained(consumer)[-1].body


def test_the_file_is_whole_whatever_became_of_its_users(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    ensure(path)
    database = Database(str(path), timeout=1.0)
    assert database.read("pragma integrity_check") == [("ok",)]
    assert database.read("pragma journal_mode") == [("wal",)]
    database.close()
    with pytest.raises(FAULTS, match="is closed"):
        database.read("select 1")


def test_messages_with_a_time_to_live_go_when_it_is_over(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/a.db"
    with broker(url) as connection:
        channel = connection.default_channel
        dead = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
        channel.queue_declare("dead", durable=True, auto_delete=False)
        channel.queue_declare("short", durable=True, auto_delete=False, arguments={"x-message-ttl": 1, **dead})
        channel.queue_declare("idle", durable=True, auto_delete=False, arguments={"x-expires": 1})
        # Who consumes anything looks after all of it.
        channel.basic_consume("dead", no_ack=False, exclusive=False, callback=None, consumer_tag="a-consumer")
        channel.basic_cancel("a-consumer")
        channel.basic_publish(made(1), routing_key="short")
        dead_letter = eventually(lambda: channel.basic_get("dead"))
        assert dead_letter.headers["x-death"][0]["reason"] == "expired"
        eventually(lambda: channel.queue_declare("short", passive=True).message_count == 0)
        eventually(lambda: queue_state(url, "idle") is None)
