"""Queues and exchanges that are missing, full, deleted or other than they should be; messages that are no events."""

import bz2

from tests.faults.oracle import Verdict
from tests.faults.row import row, row_on_both
from tests.faults.service import EXCHANGE, KEY, QUEUE, TASKS
from tests.faults.sink import count
from tests.faults.world import DEAD, World
from tests.support.amqp import (
    CONTENT_TYPE,
    HEADERS,
    RawMessage,
    declare,
    linked,
    message,
    properties,
    short,
    table,
    timestamp,
)
from tests.support.rabbit import eventually, queue_state


@row_on_both("Celery's queue deleted under way", peers=True)
def tasks_queue_deleted(world: World) -> Verdict:
    world.start()
    with world.load():
        for part in (0.2, 0.4, 0.6):
            world.reach(part)
            world.faults += 1
            world.delete_when_empty(TASKS)
    return world.finish()


@row("Celery's queue deleted, and not to be had again")
def tasks_queue_forbidden(world: World) -> Verdict:
    assert world.node is not None
    vhost = world.events.rpartition("/")[2]
    world.node.ctl("add_user", f"keeper-{vhost}", "secret")
    world.node.ctl("set_permissions", "-p", vhost, f"keeper-{vhost}", ".*", ".*", ".*")
    keeper = world.events.replace("guest:guest", f"keeper-{vhost}:secret")
    with world.amid_load():
        world.node.ctl("set_permissions", "-p", vhost, "guest", f"^(?!{TASKS}).*", ".*", ".*")
        world.delete_when_empty(TASKS, keeper)
        world.says("does not take a message")
        world.node.ctl("set_permissions", "-p", vhost, "guest", ".*", ".*", ".*")
    return world.finish()


@row("Celery's queue full (reject-publish), emptied bit by bit", "rabbitmq", "embedded", peers=True, slow=True)
def tasks_queue_full(world: World) -> Verdict:
    room = max(world.size // 20, 10)
    world.start(FAULTS_ROOM=str(room))
    with world.load():
        pass
    while (so_far := world.tasks_so_far()) < world.wanted:
        world.hold(0.4)
        world.take_tasks()
        world.reach_tasks(min(so_far + room, world.wanted))
        if not world.ours and world.tasks_so_far() == so_far:
            # Lost they are, then.
            break
    return world.finish()


@row("the exchange of the tasks is missing")
def tasks_exchange_missing(world: World) -> Verdict:
    declare(world.events, TASKS)
    world.start(FAULTS_NOWHERE="1")
    with world.load():
        world.faults += 1
        world.says("does not take a message")
        declare(world.events, TASKS, None, **{"faults.nowhere": "#"})
    return world.finish()


@row_on_both("event queue deleted")
def event_queue_deleted(world: World) -> Verdict:
    world.start()
    half = world.size // 2
    world.publish(half)
    # What stands in it goes with it.
    world.reach_tasks(world.wanted)
    eventually(lambda: count(world.events, QUEUE) == 0)
    world.faults += 1
    with linked(world.events) as link:
        link.channel().queue_delete(QUEUE)
    eventually(lambda: (state := queue_state(world.events, QUEUE)) is not None and state.consumer_count)
    world.publish(world.size - half)
    return world.finish()


@row_on_both("event exchange deleted, and its bindings with it")
def event_exchange_deleted(world: World) -> Verdict:
    world.start(FAULTS_ENSURE="3")
    half = world.size // 2
    world.publish(half)
    world.reach_tasks(world.wanted)
    world.faults += 1
    with linked(world.events) as link:
        link.channel().exchange_delete(EXCHANGE)
    # Until the subscriber has noticed, publishers are told that nobody takes their events.
    eventually(lambda: world.publish(1) is None, timeout=60, what="an event that is taken")
    world.publish(world.size - half)
    return world.finish()


@row_on_both("queues are there, with other arguments (406)")
def used_as_found(world: World) -> Verdict:
    with linked(world.events) as link:
        for queue in (QUEUE, DEAD):
            link.channel().queue_delete(queue)
    kind = {} if world.events.startswith("sqlite") else {"x-queue-type": "quorum"}
    for queue in (QUEUE, DEAD, TASKS):
        declare(world.events, queue, {"x-expires": 3_600_000, **kind})
    with linked(world.events) as link:
        link.channel().queue_bind(QUEUE, EXCHANGE, KEY)
    world.start()
    with world.load():
        world.poison(b"no json")
    return world.finish()


@row_on_both("dead-letter queue deleted under way")
def dead_letters_deleted(world: World) -> Verdict:
    world.start()
    with world.load():
        world.poison(b"one")
        world.reach(0.2)
        world.faults += 1
        world.delete_when_empty(DEAD)
        world.poison(b"two", b"three")
    return world.finish()


@row_on_both("dead-letter queue full (reject-publish)")
def dead_letters_full(world: World) -> Verdict:
    with linked(world.events) as link:
        link.channel().queue_delete(DEAD)
    declare(world.events, DEAD, {"x-max-length": 2, "x-overflow": "reject-publish"})
    world.start()
    with world.load():
        world.poison(b"one", b"two", b"three", b"four", b"five")
        world.faults += 1
    world.reach(0.99)
    world.says("the dead-letter queue does not take a message")
    assert count(world.events, DEAD) == 2
    for already in (2, 4):
        eventually(lambda: count(world.events, DEAD))
        world.take_dead_letters()
        assert len(world.dead_letters) <= already + 2
    return world.finish()


@row_on_both("poison of every kind amid load")
def poison(world: World) -> Verdict:
    world.start()
    with world.load():
        world.poison(b"", b"null", b'{"number": "7"}', b"[" * 300, b"\xff\xfe", b'{"number": 1e999}')
        world.poison(b"a pickle", content_type="application/x-python-serialize")
        world.poison(b'{"number": 8}', content_type="text/plain")
        bomb = bz2.compress(b"0" * 1_000_000)
        world.poison_message(bomb, message(bomb, {"compression": "application/x-bz2"}))
        large = b'{"number": 9, "more": "%s"}' % (b"x" * 1_100_000)
        world.poison_message(large, message(large))
    return world.finish()


@row("wire poison: headers that no client library can read")
def wire_poison(world: World) -> Verdict:
    raw = {
        b"no utf-8": properties(CONTENT_TYPE, short(b"\xff\xfe/\xfd")),
        b"year 58000": properties(HEADERS, table((b"when", b"T" + timestamp(1_764_000_000_000_000)))),
    }
    world.start()
    with world.load():
        for body, written in raw.items():
            world.poison_message(body, RawMessage(body, written))
    return world.finish()
