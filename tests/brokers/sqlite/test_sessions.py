"""Leases: what a living process holds is not given away, and what a dead or silent one held comes again."""

import gc
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.kit import drained, made, nothing, take
from tests.support.amqp import TIMEOUT, linked
from tests.support.children import Child
from tests.support.rabbit import broker, eventually
from typed_pubsub.brokers.confirms import ConfirmChannel
from typed_pubsub.brokers.connection import FAULTS, Link
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.sessions import Keeper, is_alive, machine, started
from typed_pubsub.brokers.topology import Topology

TOPOLOGY = Topology("an_exchange", "a_queue", ("#",))
LEASE = 1.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.db"


@pytest.fixture
def url(path: Path) -> str:
    """A broker with ten messages in the queue, and a short lease."""
    url = f"sqlite:///{path}?lease={LEASE}"
    with linked(url) as link:
        TOPOLOGY.ensure(link)
        channel: ConfirmChannel[int] = ConfirmChannel(link)
        for number in range(10):
            channel.put(number, made(number), "an_exchange", "a.key")
        channel.flush(TIMEOUT, nothing)
    return url


@pytest.fixture
def link(url: str) -> Iterator[Link]:
    with linked(url) as link:
        yield link


def leases_later(count: float) -> Callable[[], bool]:
    """Becomes true when so many leases are over."""
    end = time.monotonic() + count * LEASE
    return lambda: time.monotonic() > end


def sql(path: Path, statement: str, *values: Any) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None, timeout=TIMEOUT)
    try:
        connection.execute("pragma foreign_keys=on")
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


HOLDER = """
import sys
from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.consumer import Consumer
from typed_pubsub.brokers.event_broker import EventBroker
from typed_pubsub.brokers.topology import Topology

consumer = Consumer(EventBroker(sys.argv[1]).connect(30), Topology("an_exchange", "a_queue", ("#",)), 10)
while len(consumer.deliveries) < 10:
    consumer.receive(1)
print("holds", flush=True)
sys.stdin.readline()
try:
    for delivery in consumer.take(10):
        consumer.ack(delivery.tag)
    print("acknowledged", flush=True)
except FAULTS as error:
    print("told", error, flush=True)
"""


@pytest.mark.once
def test_what_a_living_process_holds_stays_its_own_for_many_leases(url: str, tmp_path: Path) -> None:
    with Child("-c", HOLDER, url, cwd=tmp_path, input_from_test=True) as holder, linked(url) as other:
        # It is busy with something else: it does not look at its connection.
        holder.wait_for("holds")
        waiting = Consumer(other, TOPOLOGY, 10)
        over = leases_later(4)
        eventually(lambda: waiting.receive(0.2) or over())
        assert not waiting.deliveries
        holder.write("\n")
        holder.wait_for("acknowledged")
        holder.wait()
        assert drained(waiting) == []


def test_what_a_killed_process_held_comes_again_long_before_its_lease_is_over(url: str, tmp_path: Path) -> None:
    url = url.replace(f"lease={LEASE}", "lease=60")
    with Child("-c", HOLDER, url, cwd=tmp_path, input_from_test=True) as holder, linked(url) as link:
        holder.wait_for("holds")
        consumer = Consumer(link, TOPOLOGY, 10)
        assert drained(consumer) == []
        # Killed, and not waited for by its parent: a zombie holds nothing either.
        holder.signal(signal.SIGKILL)
        begun = time.monotonic()
        assert all(delivery.redelivered for delivery in take(consumer, 10))
        assert time.monotonic() - begun < 5


EXCLUSIVE = """
import sys
import kombu, typed_pubsub

channel = kombu.Connection(sys.argv[1]).channel()
channel.queue_declare("mine", exclusive=True)
print("declared", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("known", [False, True], ids=["a new connection", "one that has a session"])
def test_who_is_killed_and_started_again_finds_nothing_locked(url: str, tmp_path: Path, known: bool) -> None:
    """Celery's workers have an exclusive queue of their own name each."""
    with broker(url) as connection:
        channel = connection.default_channel
        if known:
            channel.queue_declare("other", exclusive=True)
        with Child("-c", EXCLUSIVE, url, cwd=tmp_path, input_from_test=True) as holder:
            holder.wait_for("declared")
            holder.signal(signal.SIGKILL)
            holder.wait()
            channel.queue_declare("mine", exclusive=True)


def test_what_a_frozen_process_held_comes_again_after_its_lease_and_it_is_told(url: str, tmp_path: Path) -> None:
    with Child("-c", HOLDER, url, cwd=tmp_path, input_from_test=True) as holder, linked(url) as link:
        holder.wait_for("holds")
        holder.signal(signal.SIGSTOP)
        consumer = Consumer(link, TOPOLOGY, 10)
        deliveries = take(consumer, 10)
        assert all(delivery.redelivered for delivery in deliveries)
        consumer.ack(deliveries[-1].tag, multiple=True)
        holder.signal(signal.SIGCONT)
        holder.write("\n")
        holder.wait_for("told", "the lease", "has expired: what was held here is delivered again")
        holder.wait()
    assert "acknowledged" not in holder.output


def test_a_connection_that_is_dropped_without_a_word_gives_back_what_it_held(url: str) -> None:
    def drop() -> None:
        consumer = Consumer(EventBroker(url).connect(TIMEOUT), TOPOLOGY, 10)
        take(consumer, 10)

    drop()
    gc.collect()
    with linked(url) as other:
        assert all(delivery.redelivered for delivery in take(Consumer(other, TOPOLOGY, 10), 10))


def test_what_was_not_seen_yet_does_not_count_as_delivered_when_a_consumer_closes(url: str) -> None:
    with linked(url) as link:
        consumer = Consumer(link, TOPOLOGY, 10)
        take(consumer, 1)
    with linked(url) as link:
        seen = take(Consumer(link, TOPOLOGY, 10), 10)
    assert [delivery.redelivered for delivery in seen] == [True] + [False] * 9


@pytest.mark.parametrize(
    ("process", "ended"),
    [
        pytest.param((machine(), os.getpid(), started(os.getpid())), False, id="lives"),
        pytest.param((machine(), 2**22 + 1, "1"), True, id="is gone"),
        pytest.param((machine(), os.getpid(), "1"), True, id="its number is another's now"),
        pytest.param(("another machine", 2**22 + 1, "1"), False, id="cannot be seen from here"),
    ],
)
def test_sessions_end_early_only_where_their_process_is_seen_to_be_gone(
    path: Path, url: str, process: tuple[str, int, str], ended: bool
) -> None:
    expires = time.time() + 60
    sql(path, "insert into session (id, machine, pid, started, expires) values (77, ?, ?, ?, ?)", *process, expires)
    look_after(path)
    assert bool(sql(path, "select 1 from session where id = 77")) is not ended


def test_a_lease_has_to_be_over_in_two_looks_running(path: Path, url: str) -> None:
    """When a machine wakes up all leases are over at once: the living renew theirs before anybody ends them."""
    database = Database(str(path), timeout=TIMEOUT)
    keeper = Keeper(str(path), database.identity, LEASE)
    values = ("another machine", 1, "1", time.time() - 100)
    sql(path, "insert into session (id, machine, pid, started, expires) values (77, ?, ?, ?, ?)", *values)
    keeper.look(database)
    sql(path, "update session set expires = ? where id = 77", time.time() - 50)
    keeper.look(database)
    assert sql(path, "select 1 from session where id = 77"), "it was renewed meanwhile"
    keeper.look(database)
    assert not sql(path, "select 1 from session where id = 77")
    database.close()


def look_after(path: Path) -> None:
    database = Database(str(path), timeout=TIMEOUT)
    Keeper(str(path), database.identity, LEASE).look(database)
    database.close()


def test_a_session_that_was_renewed_while_its_end_was_waited_for_goes_on(path: Path, url: str) -> None:
    database = Database(str(path), timeout=TIMEOUT)
    keeper = Keeper(str(path), database.identity, LEASE)
    old, new = time.time() - 100, time.time() + 100
    sql(path, "insert into session (id, machine, pid, started, expires) values (77, 'another machine', 1, '1', ?)", new)
    keeper._end(database, {77: old})
    assert sql(path, "select 1 from session where id = 77")
    keeper._end(database, {77: new})
    assert not sql(path, "select 1 from session where id = 77")
    database.close()


def test_a_process_is_known_by_its_start() -> None:
    assert is_alive(machine(), os.getpid(), started(os.getpid()) or "") is True
    assert is_alive("elsewhere", os.getpid(), started(os.getpid()) or "") is None
    assert is_alive(machine(), os.getpid(), "") is None, "it could not be read when the session began"
    assert started(2**22 + 1) is None


def test_a_forked_child_can_use_nothing_of_its_parent_and_all_of_its_own(link: Link, url: str, path: Path) -> None:
    consumer = Consumer(link, TOPOLOGY, 5)
    held = take(consumer, 5)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        handles = [each for each in Path("/proc/self/fd").iterdir() if each.exists()]
        said = b"%d of the file's handles / " % sum(str(each.readlink()).startswith(str(path)) for each in handles)
        try:
            link.drain(0.1)
        except FAULTS as error:
            said += str(error).encode()
        link.abandon()
        with linked(url) as own:
            said += b" / %d" % len(take(Consumer(own, TOPOLOGY, 10), 5))
        os.write(write, said)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    said = os.read(read, 1_000)
    assert said.startswith(b"0 of the file's handles")
    assert said.endswith(b"is closed / 5")
    consumer.ack(held[-1].tag, multiple=True)
    assert len(take(consumer, 5)) == 5, "the parent goes on, and gets what the child gave back"
    os.close(read)
    os.close(write)
