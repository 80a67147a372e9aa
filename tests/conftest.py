"""A RabbitMQ node and a Redis for each process that runs tests, started when a test first asks for them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from typed_pubsub.testing.nodes import RabbitMQNode, RedisNode, rabbitmq_available, redis_available

SERVERS = {"rabbitmq", "redis_server", "managed", "faulty_rabbitmq", "faulty_redis"}
#: How many virtual hosts are made at once: more for a test cost less each.
VHOSTS = 40

# Examples that were found once are the same ever after; no deadline, for the machine is shared with servers.
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("dev", deadline=None, suppress_health_check=[HealthCheck.too_slow])
PROFILE = "ci" if os.environ.get("CI") else "dev"
# For Pythons beside the one that has drawn as many as each test asks for.
settings.register_profile("few", settings.get_profile(PROFILE), max_examples=20)
settings.load_profile(PROFILE)


# Before pytest-xdist looks at the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        names = {*item.fixturenames} if isinstance(item, pytest.Function) else set[str]()
        if SERVERS & names:
            item.add_marker("broker")
        if "managed" in names:
            # Few use this node: they run in one process, so that it is started once.
            item.add_marker(pytest.mark.xdist_group("managed"))
    # Long ones first, so that no process that runs tests works on when the others are done.
    items.sort(key=lambda item: [item.get_closest_marker(name) is None for name in ("xdist_group", "once")])


def pytest_collection_finish(session: pytest.Session) -> None:
    if getattr(session.config.option, "loadgroup", False):
        lost = [
            item.nodeid for item in session.items if item.get_closest_marker("xdist_group") and "@" not in item.nodeid
        ]
        # Without a word each process would start each node.
        assert not lost, f"pytest-xdist does not keep groups together with pytest {pytest.__version__}: {lost[0]}"


def need(reason: str | None) -> None:
    """Skip aloud where a server is missing; in CI that is a failure."""
    if reason is None:
        return
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI is set: run 'make servers'")
    pytest.skip(f"{reason}: run 'make servers'")


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[RabbitMQNode]:
    """A RabbitMQ node: one for each test process, shared by its tests. Tests that break a node start their own."""
    need(rabbitmq_available())
    with RabbitMQNode(vhosts=VHOSTS) as node:
        yield node


@pytest.fixture
def vhost_url(rabbitmq: RabbitMQNode) -> Iterator[str]:
    """The URL of a fresh virtual host: no queue, no exchange and no message of another test is there."""
    url = rabbitmq.vhost()
    yield url
    rabbitmq.give_back(url)


@pytest.fixture(params=["embedded", pytest.param("rabbitmq", marks=pytest.mark.broker)])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a broker that is empty: the embedded one, and RabbitMQ."""
    if request.param == "embedded":
        return f"sqlite:///{tmp_path}/broker.db"
    url: str = request.getfixturevalue("vhost_url")
    return url


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisNode]:
    need(redis_available())
    with RedisNode() as node:
        yield node


@pytest.fixture
def redis_node(redis_server: RedisNode) -> RedisNode:
    """A Redis, empty: one for each test process."""
    redis_server.flush()
    return redis_server
