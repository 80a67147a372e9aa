"""The private servers that all other tests stand on."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import kombu
import pytest
import redis
from amqp.exceptions import NotFound

from tests.conftest import VHOSTS, need
from tests.support.rabbit import eventually
from typed_pubsub.testing.nodes import NodeError, RabbitMQNode, RedisNode, rabbitmq_available, redis_available

KEEPS_A_NODE = """
import time
from typed_pubsub.testing.nodes import RedisNode
with RedisNode() as node:
    print(node.pid, node.directory, flush=True)
    time.sleep(60)
"""


def put(url: str, body: str, queue: str = "durable") -> None:
    confirming = {"confirm_publish": True}
    with kombu.Connection(url, transport_options=confirming) as connection, connection.SimpleQueue(queue) as simple:
        simple.put(body)


def take(url: str, queue: str = "durable") -> object:
    with kombu.Connection(url) as connection, connection.SimpleQueue(queue) as simple:
        message = simple.get(timeout=10)
        message.ack()
        return message.payload


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_message_goes_through(vhost_url: str) -> None:
    put(vhost_url, "hello")
    assert take(vhost_url) == "hello"


def test_vhosts_share_nothing(rabbitmq: RabbitMQNode, vhost_url: str) -> None:
    put(vhost_url, "mine")
    with kombu.Connection(rabbitmq.vhost()) as other, pytest.raises(NotFound):
        kombu.Queue("durable", channel=other.default_channel).queue_declare(passive=True)


def test_vhosts_do_not_run_out(rabbitmq: RabbitMQNode) -> None:
    urls = {rabbitmq.vhost() for _ in range(VHOSTS + 5)}
    assert len(urls) == VHOSTS + 5
    for url in urls:
        with kombu.Connection(url) as connection:
            connection.connect()
        rabbitmq.give_back(url)


def test_vhosts_that_are_given_back_are_deleted_before_more_are_made(rabbitmq: RabbitMQNode) -> None:
    url = rabbitmq.vhost()
    put(url, "what is in it")
    name = url.rpartition("/")[2]
    rabbitmq.give_back(url)
    assert name in rabbitmq.ctl("list_vhosts").split(), "not one by one"
    kept = [rabbitmq.vhost() for _ in range(VHOSTS + 1)]
    there = rabbitmq.ctl("list_vhosts").split()
    assert name not in there
    assert {one.rpartition("/")[2] for one in kept} <= {*there}
    for one in kept:
        rabbitmq.give_back(one)


def test_a_vhost_of_a_given_name_comes_and_goes(rabbitmq: RabbitMQNode) -> None:
    url = rabbitmq.vhost("given/name")
    put(url, "hello")
    assert "durable\t1" in rabbitmq.ctl("list_queues", "-p", "given/name", "name", "messages")
    rabbitmq.delete_vhost(url)
    assert "given/name" not in rabbitmq.ctl("list_vhosts")


def test_what_ctl_refuses_is_an_error(rabbitmq: RabbitMQNode) -> None:
    with pytest.raises(NodeError, match="no-such-command"):
        rabbitmq.ctl("no-such-command")


@pytest.mark.broker
def test_a_killed_node_comes_back_with_its_durable_messages() -> None:
    need(rabbitmq_available())
    with RabbitMQNode(vhosts=1) as node:
        url, pid, directory = node.vhost(), node.pid, node.directory
        put(url, "still here")
        node.kill()
        assert not alive(pid)
        with kombu.Connection(url) as connection, pytest.raises(ConnectionRefusedError):
            connection.connect()
        node.start()
        assert take(url) == "still here"
    assert not directory.exists()


def test_a_paused_node_does_not_answer(rabbitmq: RabbitMQNode) -> None:
    with (
        rabbitmq.paused(),
        kombu.Connection(rabbitmq.url, connect_timeout=0.3) as connection,
        pytest.raises(TimeoutError),
    ):
        connection.connect()
    with kombu.Connection(rabbitmq.url) as connection:
        connection.connect()


@pytest.mark.broker
def test_a_node_that_does_not_start_shows_its_log() -> None:
    need(rabbitmq_available())
    with pytest.raises(NodeError, match="no_such_setting"), RabbitMQNode(settings={"no_such_setting": "1"}):
        pass


def test_redis_answers(redis_node: RedisNode) -> None:
    with redis.Redis.from_url(redis_node.url) as client:
        assert client.ping() is True
        assert client.dbsize() == 0
        client.set("key", "value")


@pytest.mark.broker
def test_a_killed_redis_comes_back_with_what_it_was_told() -> None:
    need(redis_available())
    with RedisNode() as node, redis.Redis.from_url(node.url) as client:
        client.set("key", "value")
        node.kill()
        node.start()
        assert client.get("key") == b"value"


@pytest.mark.broker
def test_no_server_outlives_a_killed_process() -> None:
    need(redis_available())
    with subprocess.Popen([sys.executable, "-c", KEEPS_A_NODE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        pid, directory = process.stdout.readline().split()
        assert alive(int(pid))
        os.kill(process.pid, signal.SIGKILL)
    eventually(lambda: not alive(int(pid)) and not Path(directory).exists(), what="the end of the node")
