"""What a row of the fault matrix is, and how one is run."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.faults.oracle import Verdict
from tests.faults.world import OURS, World
from typed_pubsub.testing.nodes import RabbitMQNode, RedisNode

Run: TypeAlias = Callable[[World], Verdict]


@dataclass(frozen=True, slots=True)
class Row:
    """One fault.

    ``brokers`` is ``rabbitmq``, ``quorum`` (there, on a quorum queue), ``embedded``, or ``redis`` (events on RabbitMQ,
    tasks on Redis).

    ``peers``: whether it says something of subscribers without this library, too; ``promised``: whether nothing may be
    lost, which is not so where a broker forgets what it has confirmed; ``slow`` ones take more than 10 s of waiting for
    something to be over, or differ by their broker alone from one that does not, and are left to `make test-faults` and
    `make test-all`.
    """

    name: str
    run: Run
    brokers: str
    peers: bool = False
    promised: bool = True
    slow: bool = False


ROWS: list[Row] = []


def row(
    name: str, *brokers: str, peers: bool = False, promised: bool = True, slow: bool | Container[str] = False
) -> Callable[[Run], Run]:
    """Adds a row for each of the brokers, by default RabbitMQ; ``slow`` may be said of some of them."""

    def add(run: Run) -> Run:
        def is_slow(kind: str) -> bool:
            return slow if isinstance(slow, bool) else kind in slow

        ROWS.extend(Row(name, run, kind, peers, promised, is_slow(kind)) for kind in brokers or ("rabbitmq",))
        return run

    return add


def row_on_both(name: str, *, peers: bool = False) -> Callable[[Run], Run]:
    """Adds a row for RabbitMQ, and one for the embedded broker, which is a slow one: it differs by its broker alone."""
    return row(name, "rabbitmq", "embedded", peers=peers, slow=("embedded",))


def run_row(
    one: Row,
    directory: Path,
    *,
    size: int,
    node: RabbitMQNode | None = None,
    redis: RedisNode | None = None,
    program: tuple[str, ...] = OURS,
) -> Verdict:
    """Runs it on brokers that hold nothing yet."""
    if one.brokers == "embedded":
        events = celery = f"sqlite:///{directory}/broker.db"
    else:
        assert node is not None
        events = celery = node.vhost()
    if one.brokers == "redis":
        assert redis is not None
        redis.flush()
        celery = redis.url
    quorum = one.brokers == "quorum"
    with World(directory, events, celery, size=size, node=node, redis=redis, quorum=quorum, program=program) as world:
        return one.run(world)
