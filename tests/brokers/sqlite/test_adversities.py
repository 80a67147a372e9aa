"""What nobody does on purpose: strange headers, missing queues, locks at the wrong moment, files that are exchanged."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.kit import drained, made, nothing, take
from tests.support.amqp import TIMEOUT, RawMessage, linked, message, take_all, wait_for_count
from tests.support.children import run
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub import MisconfigurationException
from typed_pubsub.brokers.confirms import ConfirmChannel, Taken
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.sessions import Keeper
from typed_pubsub.brokers.topology import Topology

TOPOLOGY = Topology("an_exchange", "a_queue", ("#",))
ONCE = {"x-delivery-limit": 0, "x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def url(path: Path) -> str:
    url = f"sqlite:///{path}"
    with broker(url) as connection:
        # A message may be delivered once; what comes again is a dead letter.
        connection.default_channel.queue_declare("once", durable=True, auto_delete=False, arguments=ONCE)
    with linked(url) as link:
        TOPOLOGY.ensure(link)
    return url


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Somebody else is in the middle of a transaction."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    try:
        yield
    finally:
        other.execute("rollback")
        other.close()


def fill(url: str, *messages: Any, queue: str = "a_queue") -> None:
    with linked(url) as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        for number, each in enumerate(messages):
            channel.put(number, each, "", queue)
        channel.flush(TIMEOUT, nothing)
        assert set(channel.take_outcomes().values()) == {Taken()}


STRANGE = {
    "no death": message(b"1", {"x-death": [{"foo": 1}]}),
    "no list of deaths": message(b"1", {"x-death": ["foo", 3]}),
    "no list at all": message(b"1", {"x-death": 7}),
    "a count of another kind": message(
        b"1", {"x-death": [{"queue": "once", "reason": "delivery_limit", "count": "x"}]}
    ),
    "headers that cannot be read": RawMessage(b"1", b"\x20\x00\x00\x00\x00\x08\x01aT\xff\xff\xff\xff\xff\xff\xff\xff"),
    "headers that can be read and not written": message(b"1", {"d": Decimal(12)}),
}


@pytest.mark.parametrize("strange", STRANGE)
def test_strange_headers_stop_no_dead_letter_and_nobody_behind_it(url: str, strange: str) -> None:
    fill(url, STRANGE[strange], made(2), queue="once")
    with broker(url) as connection:
        assert connection.default_channel.basic_get("once").body in ("1", b"1")
    with broker(url) as connection:
        # The first has been out before, and nobody has seen the second.
        assert connection.default_channel.basic_get("once").body in ("2", b"2")
    assert [found.body for found in take_all(url, "dead")] == [b"1"]


def test_a_dead_letter_queue_that_is_missing_is_made(url: str) -> None:
    fill(url, made(1), queue="once")
    assert queue_state(url, "dead") is None
    with broker(url) as connection:
        connection.default_channel.basic_get("once")
    with broker(url) as connection:
        assert connection.default_channel.basic_get("once") is None
    assert [found.body for found in take_all(url, "dead")] == [b"1"]


def test_an_acknowledgement_that_could_not_be_written_ends_the_connection(url: str, path: Path) -> None:
    fill(url, made(1), made(2))
    with linked(url) as link:
        consumer = Consumer(link, TOPOLOGY, 1)
        (delivery,) = take(consumer, 1)
        link.limit(0.2)
        with locked(path), pytest.raises(ConnectionResetError, match="is locked by another process"):
            consumer.ack(delivery.tag)
        with pytest.raises(FAULTS):
            consumer.receive(1)
        # Both are there again, though this process lives and has other connections.
        with linked(url) as other:
            assert sorted(each.body for each in take(Consumer(other, TOPOLOGY, 10), 2)) == [b"1", b"2"]


def test_a_connection_that_could_not_say_goodbye_gives_back_what_it_held(url: str, path: Path) -> None:
    fill(url, made(1))
    link = EventBroker(f"{url}?lease=3600").connect(TIMEOUT)
    take(Consumer(link, TOPOLOGY, 1), 1)
    with locked(path):
        link.close(timeout=0.1)
    wait_for_count(url, "a_queue", 1)


def test_an_acknowledgement_of_all_is_of_those_that_were_seen(url: str) -> None:
    fill(url, made(0), made(1), made(2))
    with broker(url) as connection:
        channel, seen = connection.connection.channel(), []
        channel.basic_consume("a_queue", callback=lambda found: seen.append(found.body))
        connection.drain_events(timeout=TIMEOUT)
        channel.basic_ack(0, multiple=True)
        connection.drain_events(timeout=TIMEOUT)
        assert seen == [b"0", b"1"]
    assert [found.body for found in take_all(url, "a_queue")] == [b"1", b"2"]


def test_a_key_that_is_no_text_is_refused_before_anything_is_written(url: str) -> None:
    with linked(url) as link:
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        with pytest.raises(ValueError, match="surrogates not allowed"):
            channel.put(1, made(1), "an_exchange", "a.\ud800")
        channel.put(2, made(2), "an_exchange", "a.key")
        channel.flush(TIMEOUT, nothing)
        assert channel.take_outcomes() == {2: Taken()}


def test_a_lease_that_was_lost_leaves_nothing_open_that_a_fork_would_copy(url: str, path: Path) -> None:
    fill(url, made(1))
    with linked(url) as link:
        consumer = Consumer(link, TOPOLOGY, 1)
        (delivery,) = take(consumer, 1)
        with sqlite3.connect(path, isolation_level=None) as other:
            other.execute("pragma foreign_keys=on")
            other.execute("delete from session")
        other.close()
        with pytest.raises(ConnectionResetError, match="has expired"):
            consumer.ack(delivery.tag)

        def opened() -> list[str]:
            return [str(each.readlink()) for each in Path("/proc/self/fd").iterdir() if each.exists()]

        eventually(lambda: not [each for each in opened() if each.startswith(str(path))], what="the end of all handles")
    wait_for_count(url, "a_queue", 1)


def test_another_file_of_the_same_name_has_sessions_of_its_own(url: str, path: Path) -> None:
    with linked(f"{url}?lease=1") as old:
        Consumer(old, TOPOLOGY, 1)
        for file in path.parent.glob("a.db*"):
            file.unlink()
        with linked(f"{url}?lease=1") as new:
            consumer = Consumer(new, TOPOLOGY, 1)
            fill(url, made(1))
            (delivery,) = take(consumer, 1)
            old.close()
            database = Database(str(path), timeout=TIMEOUT)
            another_process = Keeper(str(path), database.identity, 1.0)
            for _ in range(6):
                # Twice the lease: it is renewed, though the session of the same number in the old file is over.
                assert drained(consumer, 0.4) == []
                another_process.look(database)
                new.heartbeat()
            database.close()
            consumer.ack(delivery.tag)
    wait_for_count(url, "a_queue", 0)


UNPRIVILEGED = """
import os, sys
import typed_pubsub.brokers.sqlite.transport
from typed_pubsub.brokers.event_broker import EventBroker

os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    EventBroker(sys.argv[1]).connect(5)
except Exception as error:
    print(type(error).__name__, error, flush=True)
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(
    ("directory", "file", "name", "said"),
    [
        (0o755, None, "a.db", "this user may not write it, or its directory"),
        (0o777, 0o444, "a.db", "this user may not write it, or its directory"),
        (0o700, None, "a.db", "cannot be opened: Permission denied"),
        (0o777, None, "a" * 300, "cannot be opened: File name too long"),
    ],
)
def test_what_a_user_may_not_is_a_matter_of_settings(
    tmp_path: Path, directory: int, file: int | None, name: str, said: str
) -> None:
    for parent in (tmp_path, *tmp_path.parents[:-2]):
        parent.chmod(0o755)
    place = tmp_path / "place"
    place.mkdir()
    if file is not None:
        with linked(f"sqlite:///{place / name}"):
            pass
        (place / name).chmod(file)
    place.chmod(directory)
    child = run("-c", UNPRIVILEGED, f"sqlite:///{place / name}", cwd=Path("/"))
    assert child.stdout[0].startswith("MisconfigurationException"), child.output
    assert said in child.stdout[0]


def test_a_list_of_brokers_is_refused_also_where_no_config_has_looked(tmp_path: Path) -> None:
    with pytest.raises(MisconfigurationException, match="no list of several brokers"):
        EventBroker(f"sqlite:///{tmp_path}/a.db;sqlite:///{tmp_path}/b.db")
