"""One publisher, many threads and processes: a connection of its own for each, and the parent's stays the parent's."""

import threading
from pathlib import Path

from tests.support.amqp import declare, take_all
from tests.support.children import run
from tests.support.proxy import Proxy
from typed_pubsub import Publisher, PubSubConfig, Registry, StructEvent

FORKING = """
import os, sys
from typed_pubsub import Publisher, PubSubConfig, StructEvent

class Forked(StructEvent, routing_key="app.forked"):
    by: str

publisher = Publisher(PubSubConfig(broker_url=sys.argv[1], exchange="an_exchange", publish_timeout=60))
publisher.publish(Forked(by="before"))
children = []
for number in range(2):
    if not (child := os.fork()):
        for _ in range(10):
            publisher.publish(Forked(by=f"child {number}"))
        publisher.publish_many(Forked(by=f"child {number}") for _ in range(10))
        # The whole of an interpreter's end, with what its garbage does to sockets.
        sys.exit(0)
    children.append(child)
    publisher.publish(Forked(by="meanwhile"))
codes = [os.waitpid(child, 0)[1] for child in children]
publisher.publish(Forked(by="after"))
publisher.close()
sys.exit(any(codes))
"""


def test_threads_share_a_publisher_and_no_connection(vhost_url: str) -> None:
    class Threaded(StructEvent, routing_key="app.threaded", registry=Registry()):
        by: int

    declare(vhost_url, "a_queue", an_exchange="app.#")
    failed: list[BaseException] = []
    with (
        Proxy(vhost_url) as proxy,
        Publisher(PubSubConfig(broker_url=proxy.url, exchange="an_exchange", publish_timeout=60)) as publisher,
    ):

        def publish(by: int) -> None:
            try:
                for _ in range(20):
                    publisher.publish(Threaded(by=by))
                publisher.publish_many(Threaded(by=by) for _ in range(200))
            except BaseException as error:  # noqa: BLE001  # looked at below
                failed.append(error)

        threads = [threading.Thread(target=publish, args=(by,)) for by in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(90)
        assert failed == []
        assert 1 <= proxy.connections <= 8
    bodies = [message.body for message in take_all(vhost_url, "a_queue")]
    assert {body: bodies.count(body) for body in set(bodies)} == {b'{"by":%d}' % by: 220 for by in range(8)}


def test_forked_processes_open_connections_of_their_own(vhost_url: str, tmp_path: Path) -> None:
    declare(vhost_url, "a_queue", an_exchange="app.#")
    (tmp_path / "forking.py").write_text(FORKING)
    with Proxy(vhost_url) as proxy:
        child = run("forking.py", proxy.url, cwd=tmp_path)
        assert child.wait() == 0, child.output
        assert proxy.connections == 3, "one of the parent, from its first to its last event, and one of each child"
    bodies = [message.body for message in take_all(vhost_url, "a_queue")]
    assert len(bodies) == 1 + 2 * 20 + 2 + 1
