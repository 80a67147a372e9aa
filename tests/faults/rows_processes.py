"""Processes that die, are stopped, or freeze: the subscriber's and the brokers'."""

import resource
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.faults.oracle import Verdict
from tests.faults.row import row
from tests.faults.rows_connections import proxies
from tests.faults.world import World
from tests.support.rabbit import SLACK, eventually
from typed_pubsub.testing.nodes import RedisNode


@row("subscriber: SIGKILL, 4 times", "rabbitmq", "quorum", "embedded", "redis", peers=True, slow=("rabbitmq", "redis"))
def killed(world: World) -> Verdict:
    world.start()
    with world.load():
        for part in range(1, 5):
            world.reach(part / 6)
            world.kill()
            world.start()
    return world.finish()


@row("subscriber: SIGKILL after its connection was lost with events in hand", slow=True)
def killed_after_reconnecting(world: World) -> Verdict:
    """Whatever acknowledged by the numbers of the lost connection would acknowledge others' events."""
    inbound, outbound = proxies(world)
    world.start()
    world.publish(50)
    world.reach_tasks(world.wanted)
    world.faults += 1
    outbound.refuse()
    world.publish(150)
    eventually(lambda: world.health().get("in_flight") == 150)
    inbound.refuse()
    before = world.wanted
    world.publish(50, seconds=0.2)
    outbound.accept()
    world.hold(6)
    inbound.accept()
    # Those in hand are done now, and the slow ones behind them have come and are not.
    world.reach_tasks(before)
    world.hold(2)
    world.kill()
    world.start()
    world.publish(world.size)
    return world.finish()


@row("subscriber: SIGTERM, 4 times", "rabbitmq", "embedded", "redis", peers=True, slow=("embedded", "redis"))
def stopped(world: World) -> Verdict:
    world.start()
    with world.load():
        for part in range(1, 5):
            world.reach(part / 6)
            world.stop()
            world.start()
    verdict = world.finish()
    if world.ours:
        assert not verdict.duplicates, "a stop in order repeats nothing"
    return verdict


@row("subscriber: SIGTERM while Celery's broker is away", "rabbitmq", "redis")
def stopped_while_away(world: World) -> Verdict:
    _, outbound = proxies(world)
    world.start(FAULTS_DRAIN="2")
    with world.load():
        world.reach(0.2)
        world.faults += 1
        outbound.refuse()
        world.says("Celery's broker")
        began = time.monotonic()
        world.stop()
        assert time.monotonic() - began < 5
        outbound.accept()
        world.start()
    return world.finish()


@row("subscriber: a second SIGTERM")
def stopped_twice(world: World) -> Verdict:
    _, outbound = proxies(world)
    child = world.start("--log-level", "info")
    with world.load():
        world.reach(0.2)
        world.faults += 1
        outbound.refuse()
        world.says("Celery's broker")
        child.signal(signal.SIGTERM)
        world.says("stopping")
        began = time.monotonic()
        child.signal(signal.SIGTERM)
        world.ended(expect=128 + signal.SIGTERM)
        assert time.monotonic() - began < 1 + SLACK
        outbound.accept()
        world.start()
    return world.finish()


@row("subscriber: frozen for 10 s (SIGSTOP)", "rabbitmq", "embedded", slow=True)
def frozen(world: World) -> Verdict:
    child = world.start()
    with world.load():
        world.reach(0.2)
        world.faults += 1
        child.signal(signal.SIGSTOP)
        world.hold(10)
        child.signal(signal.SIGCONT)
    return world.finish()


@row("RabbitMQ: restarted (stop_app, start_app)", "rabbitmq", "quorum", peers=True, slow=("rabbitmq",))
def restarted(world: World) -> Verdict:
    assert world.node is not None
    with world.amid_load():
        world.node.ctl("stop_app")
        world.node.ctl("start_app")
    return world.finish()


@row("RabbitMQ: kill -9, started again", peers=True)
def broker_killed(world: World) -> Verdict:
    assert world.node is not None
    with world.amid_load():
        world.node.kill()
        world.node.start()
    return world.finish()


@row("RabbitMQ: kill -9, started again", "quorum", slow=True)
def broker_killed_with_quorum_queues(world: World) -> Verdict:
    # RabbitMQ 3.10 finds no leader again for a quorum queue that it was killed with seconds after its declaration.
    world.hold(15)
    return broker_killed(world)


@row("RabbitMQ: frozen for 15 s (SIGSTOP)", slow=True)
def broker_frozen(world: World) -> Verdict:
    assert world.node is not None
    with world.amid_load(), world.node.paused():
        world.hold(15)
    return world.finish()


@row("RabbitMQ: memory alarm for 12 s", peers=True)
def memory_alarm(world: World) -> Verdict:
    return _alarm(
        world, ("set_vm_memory_high_watermark", "0.0001"), ("set_vm_memory_high_watermark", "absolute", "2GB")
    )


@row("RabbitMQ: disk alarm for 12 s", peers=True, slow=True)
def disk_alarm(world: World) -> Verdict:
    return _alarm(world, ("set_disk_free_limit", "1000GB"), ("set_disk_free_limit", "10MB"))


def _alarm(world: World, on: tuple[str, ...], off: tuple[str, ...]) -> Verdict:
    assert world.node is not None
    world.publish(world.size)
    world.node.ctl(*on)
    try:
        # It may consume, and is blocked with the first task that it writes.
        world.start()
        world.hold(12)
        world.faults += 1
    finally:
        world.node.ctl(*off)
    verdict = world.finish()
    assert world.met_no_fault(), "who is blocked waits"
    return verdict


@row("Redis: kill -9, started again, 2 times", "redis")
def redis_killed(world: World) -> Verdict:
    assert world.redis is not None
    world.start()
    with world.load():
        for part in (0.2, 0.5):
            world.reach(part)
            world.faults += 1
            world.redis.kill()
            world.says("Celery's broker")
            world.redis.start()
    return world.finish()


@row("Redis without appendonly: kill -9, started again", "redis", promised=False)
def redis_forgets(world: World) -> Verdict:
    with RedisNode(durable=False) as forgetful:
        world.patient = False
        world.tasks_go_to(forgetful)
        world.start()
        with world.load():
            world.reach(0.4)
            world.faults += 1
            forgetful.kill()
            forgetful.start()
        return world.finish()


@row("Redis: frozen for 12 s (SIGSTOP)", "redis", slow=True)
def redis_frozen(world: World) -> Verdict:
    assert world.redis is not None
    with world.amid_load(), world.redis.paused():
        world.hold(12)
    return world.finish()


@row("the file is locked for 12 s", "embedded", slow=True)
def file_locked(world: World) -> Verdict:
    with world.amid_load():
        path = world.events.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as other:
            other.execute("begin immediate")
            world.hold(12)
            other.execute("rollback")
    return world.finish()


@row("the subscriber cannot write (the disk is full)", "embedded")
def disk_full(world: World) -> Verdict:
    child = world.start()
    path = world.events.removeprefix("sqlite:///")
    with world.load():
        world.reach(0.2)
        world.faults += 1
        # No more bytes into any file than it has: what a full disk says, to this process alone.
        _limit_files(child.pid, Path(path).stat().st_size // 2)
        world.says("fault 1 in a row")
        _limit_files(child.pid, -1)
    return world.finish()


def _limit_files(pid: int, size: int) -> None:
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, -1))
