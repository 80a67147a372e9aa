"""Connections that break, fall silent or crawl."""

import contextlib
from collections.abc import Generator

from tests.faults.oracle import Verdict
from tests.faults.row import row
from tests.faults.world import PATIENCE, World
from tests.support.proxy import Proxy
from tests.support.rabbit import eventually

_NODE_DEFAULTS = {"heartbeat": 60, "consumer_timeout": 1_800_000, "channel_tick_interval": 60_000}


def proxies(world: World) -> tuple[Proxy, Proxy]:
    assert world.inbound is not None
    assert world.outbound is not None
    return world.inbound, world.outbound


@contextlib.contextmanager
def node_set(world: World, **values: int) -> Generator[None]:
    """Settings of the RabbitMQ node, for connections and channels that are opened meanwhile."""
    assert world.node is not None
    try:
        for name, value in values.items():
            world.node.ctl("eval", f"application:set_env(rabbit, {name}, {value}).")
        yield
    finally:
        for name in values:
            world.node.ctl("eval", f"application:set_env(rabbit, {name}, {_NODE_DEFAULTS[name]}).")


@row("none", "rabbitmq", "quorum", "embedded", "redis", peers=True, slow=("rabbitmq", "quorum", "redis"))
def none(world: World) -> Verdict:
    world.start()
    with world.load():
        world.poison(b"no json", b"{}", b'{"number": "x"}', b'{"number": 1, "more": NaN}', b"[]")
    return world.finish()


@row("events: connection cut, 5 times", "rabbitmq", "quorum", peers=True, slow=("rabbitmq",))
def inbound_cut(world: World) -> Verdict:
    inbound, _ = proxies(world)
    world.start()
    with world.load():
        for part in range(1, 6):
            world.reach(part / 7)
            world.faults += 1
            inbound.cut()
    return world.finish()


@row("tasks: connection cut, 5 times", "rabbitmq", "redis", peers=True)
def outbound_cut(world: World) -> Verdict:
    _, outbound = proxies(world)
    world.start()
    with world.load():
        for part in range(1, 6):
            world.reach(part / 7)
            world.faults += 1
            outbound.cut()
    return world.finish()


@row("tasks: confirms never arrive", peers=True)
def no_confirms(world: World) -> Verdict:
    _, outbound = proxies(world)
    with world.amid_load(FAULTS_CONFIRM="4"):
        outbound.hold_down()
        world.says("no confirm for")
        outbound.cut()
        outbound.release()
    return world.finish()


@row("tasks: what is written never arrives", peers=True, slow=True)
def nothing_written(world: World) -> Verdict:
    _, outbound = proxies(world)
    with world.amid_load():
        outbound.hold_up()
        world.says("no confirm for")
        outbound.cut()
        outbound.release()
    return world.finish()


@row("events: acks never arrive", "rabbitmq", "quorum", peers=True, slow=("rabbitmq",))
def acks_held(world: World) -> Verdict:
    inbound, _ = proxies(world)
    with world.amid_load():
        inbound.hold_up()
        # An acknowledgement: its tasks are scheduled, and its event will come again.
        assert inbound.kept.wait(PATIENCE)
        inbound.cut()
        inbound.release()
    return world.finish()


@row("events: deliveries stop, nothing says so", slow=True)
def deliveries_held(world: World) -> Verdict:
    inbound, _ = proxies(world)
    with world.amid_load():
        inbound.hold_down()
        world.says("the event broker")
        inbound.cut()
        inbound.release()
    return world.finish()


@row("Celery's broker refuses connections for a while", "rabbitmq", "redis", peers=True, slow=("redis",))
def refused(world: World) -> Verdict:
    _, outbound = proxies(world)
    with world.amid_load():
        outbound.refuse()
        world.says("(fault 3 in a row)")
        outbound.accept()
    return world.finish()


@row("200 ms latency, then 1 kB/s, then neither", slow=True)
def slow_lines(world: World) -> Verdict:
    lines = proxies(world)
    world.start()
    with world.load():
        world.reach(0.2)
        for line in lines:
            line.latency = 0.2
        world.reach(0.4)
        for line in lines:
            line.latency, line.rate = 0.0, 1000
        world.hold(5)
        for line in lines:
            line.rate = None
    # A line so slow breaks a deadline here and there, each a fault of its own.
    world.faults += 4
    return world.finish()


@row("held longer than consumer_timeout", slow=True)
def consumer_timeout(world: World) -> Verdict:
    _, outbound = proxies(world)
    with node_set(world, consumer_timeout=2000, channel_tick_interval=500):
        world.start()
        with world.load():
            world.reach(0.2)
            world.faults += 1
            outbound.refuse()
            world.says("PRECONDITION_FAILED")
            outbound.accept()
        return world.finish()


@row("held too long: handed back, taken up again")
def handed_back(world: World) -> Verdict:
    _, outbound = proxies(world)
    world.start(FAULTS_HAND_BACK="2")
    world.publish(world.size)
    world.reach(0.2)
    world.faults += 1
    outbound.refuse()
    eventually(lambda: world.health().get("consuming") is False, what="a subscriber that holds nothing")
    outbound.accept()
    return world.finish()


@row("a handler slower than the heartbeat")
def slow_handler(world: World) -> Verdict:
    with node_set(world, heartbeat=2):
        world.start()
        with world.load():
            world.reach(0.2)
            world.publish(1, seconds=10.0)
        verdict = world.finish()
    assert world.met_no_fault(), f"a connection was given up meanwhile: {world.log}"
    return verdict
