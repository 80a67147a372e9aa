"""The publisher's own side: it says what is confirmed, in time, and never more than that."""

import socket
import time
from pathlib import Path

from tests.faults.oracle import Verdict
from tests.faults.row import row, row_on_both
from tests.faults.service import EXCHANGE, KEY, QUEUE, Happened
from tests.faults.world import World
from tests.support.amqp import declare, linked
from tests.support.children import ROOT, Child, environment
from tests.support.proxy import PUBLISH, Proxy
from tests.support.rabbit import SLACK, eventually
from typed_pubsub.brokers.publishing import MAX_EVENTS

DEADLINE = 2.0


@row("publisher: cut between write and confirm, 5 times")
def cut_before_confirm(world: World) -> Verdict:
    # What was written and not confirmed is written again: a window for each time.
    world.at_once = MAX_EVENTS
    world.start()
    with Proxy(world.events) as proxy, world.load(proxy.url):
        for _ in range(5):
            proxy.silent_after = PUBLISH
            eventually(lambda: not proxy.pass_down.is_set(), what="an event that is written")
            world.faults += 1
            proxy.silent_after = None
            proxy.cut()
            proxy.release()
    return world.finish()


@row("publisher: RabbitMQ killed and started under a publisher, 2 times", slow=True)
def broker_killed(world: World) -> Verdict:
    assert world.node is not None
    world.at_once = MAX_EVENTS
    world.start()
    with world.load():
        for part in (0.2, 0.6):
            world.reach(part)
            world.faults += 1
            world.node.kill()
            world.node.start()
    return world.finish()


@row_on_both("publisher: no queue takes the event")
def unroutable(world: World) -> Verdict:
    world.start()
    world.publish(world.size // 2)
    with linked(world.events) as link:
        link.channel().queue_unbind(QUEUE, EXCHANGE, KEY)
    failed = world.publish(1)
    assert failed is not None
    assert (failed.confirmed, len(failed.unroutable), failed.unknown, failed.unsent) == (0, 1, [], [])
    with linked(world.events) as link:
        link.channel().queue_bind(QUEUE, EXCHANGE, KEY)
    world.publish(world.size // 2)
    return world.finish()


@row_on_both("publisher: the event queue is full (nack)")
def nacked(world: World) -> Verdict:
    with linked(world.events) as link:
        link.channel().queue_delete(QUEUE)
    declare(world.events, QUEUE, {"x-max-length": 20, "x-overflow": "reject-publish"}, **{EXCHANGE: KEY})
    with world.publisher(timeout=DEADLINE) as publisher:
        began = time.monotonic()
        failed = world.publish(50, publisher)
        assert failed is not None
        assert time.monotonic() - began < DEADLINE * 1.1 + SLACK
        assert (failed.confirmed, len(failed.unknown)) == (20, 30)
    world.start()
    with world.load():
        pass
    return world.finish()


@row("publisher: blocked by an alarm")
def blocked(world: World) -> Verdict:
    assert world.node is not None
    world.start()
    with world.publisher(timeout=DEADLINE) as publisher:
        world.publish(world.size // 2, publisher)
        world.node.ctl("set_vm_memory_high_watermark", "0.0001")
        try:
            began = time.monotonic()
            failed = world.publish(5, publisher)
            assert failed is not None
            assert failed.confirmed == 0
            assert time.monotonic() - began < DEADLINE * 1.1 + SLACK
        finally:
            world.node.ctl("set_vm_memory_high_watermark", "absolute", "2GB")
        world.publish(world.size // 2)
    return world.finish()


@row("publisher: a port that takes everything and says nothing")
def black_hole(world: World) -> Verdict:
    world.start()
    with socket.create_server(("127.0.0.1", 0)) as hole:
        url = f"amqp://guest:guest@127.0.0.1:{hole.getsockname()[1]}//"
        with world.publisher(url, timeout=DEADLINE) as publisher:
            began = time.monotonic()
            failed = world.publish(5, publisher)
            took = time.monotonic() - began
    assert failed is not None
    assert (failed.confirmed, failed.unknown) == (0, [])
    assert failed.unsent
    assert DEADLINE * 0.9 < took < DEADLINE * 1.1 + SLACK
    world.publish(world.size)
    return world.finish()


@row_on_both("publisher: every event twice under its id")
def repeated(world: World) -> Verdict:
    world.start()
    with world.publisher() as publisher:
        for number in range(world.size):
            event_id = publisher.publish(Happened(number=number))
            # Not a redelivery: whoever publishes an event again is heard again.
            publisher.publish(Happened(number=number), event_id=event_id)
    world.confirm(range(world.size))
    # Of these the whole run consists, so every event may come twice.
    world.faults, world.at_once = 1, world.size
    world.reach_tasks(2 * world.wanted)
    verdict = world.finish()
    assert verdict.duplicates == verdict.expected
    return verdict


@row_on_both("publisher: open while the process forks, 4 times")
def forked(world: World) -> Verdict:
    return _several(world, "fork")


@row_on_both("publisher: one, and eight threads")
def threads(world: World) -> Verdict:
    return _several(world, "threads")


def _several(world: World, how: str) -> Verdict:
    world.start()
    env = environment(FAULTS_EVENTS=world.events)
    program = str(Path(__file__).with_name("publishers.py"))
    with Child(program, how, str(world.size), cwd=ROOT, env=env) as child:
        assert child.wait() == 0, child.output
    world.confirm(int(line) for line in child.stdout)
    verdict = world.finish()
    assert verdict.events >= world.size
    assert not verdict.duplicates
    return verdict
