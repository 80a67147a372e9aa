"""A replay that is killed or interrupted half-way loses nothing and repeats one dead letter at most."""

import signal
from collections import Counter
from pathlib import Path

import pytest

from tests.support.amqp import take_all, wait_for_count
from tests.support.children import Child, environment
from tests.support.dead_letters import event, leave
from tests.support.rabbit import eventually, queue_state

SERVICE = """
import os

from typed_pubsub import PubSubConfig

config = PubSubConfig(broker_url=os.environ["BROKER"], exchange="events", queue_name="q")
"""
REPLAY = ("-m", "typed_pubsub.cli", "dlq", "replay", "-A", "a_service:config", "--yes")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "a_service.py").write_text(SERVICE)
    return tmp_path


def start(directory: Path, url: str, *options: str) -> Child:
    return Child(*REPLAY, *options, cwd=directory, env=environment(directory, BROKER=url))


def replayed_so_far(url: str) -> int:
    return int(queue_state(url, "q").message_count)


def stop_half_way(child: Child, url: str, count: int, how: signal.Signals) -> int:
    """Its exit code; some are replayed by then, and some are not."""
    eventually(lambda: replayed_so_far(url) > count // 2, what="half of it")
    child.signal(how)
    code = child.wait()
    assert 0 < replayed_so_far(url) < count, "it was not half-way"
    return code


def ids(url: str, queue: str) -> Counter[str]:
    """What is in a queue, taken out; on the event queue the ids that a subscriber reads."""
    name = "ce-id" if queue == "q" else "x-pubsub-event-id"
    return Counter(found.headers[name] for found in take_all(url, queue))


def once_each_but_one(found: Counter[str], count: int) -> None:
    assert found.keys() == {f"event-{number}" for number in range(count)}, "some are lost"
    assert found.total() <= count + 1, "more than one came twice"


@pytest.mark.parametrize(
    ("quorum", "count"),
    [
        (False, 1_000),
        (True, 400),
        pytest.param(False, 10_000, marks=pytest.mark.slow),
        pytest.param(True, 5_000, marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_killed_half_way_nothing_is_lost_and_one_comes_twice_at_most(
    vhost_url: str, directory: Path, quorum: bool, count: int
) -> None:
    leave(vhost_url, [event(number) for number in range(count)], quorum=quorum)
    with start(directory, vhost_url) as child:
        assert stop_half_way(child, vhost_url, count, signal.SIGKILL) == -signal.SIGKILL
    # What it had in its hands goes back by and by.
    done = replayed_so_far(vhost_url)
    left = eventually(
        lambda: (ready := int(queue_state(vhost_url, "q.dlq").message_count)) + done >= count and ready,
        what="all that it had not replayed",
    )
    assert left + done <= count + 1
    with start(directory, vhost_url) as again:
        assert again.wait() == 0, again.output
        assert again.stdout == [f"replayed {left:,} dead letters of queue 'q'"]
    wait_for_count(vhost_url, "q.dlq", 0)
    once_each_but_one(ids(vhost_url, "q"), count)


@pytest.mark.parametrize("kind", ["embedded", pytest.param("rabbitmq", marks=pytest.mark.broker)])
def test_ctrl_c_ends_after_the_letter_in_hand_and_nothing_comes_twice(
    request: pytest.FixtureRequest, kind: str, directory: Path
) -> None:
    url = f"sqlite:///{directory}/broker.db" if kind == "embedded" else str(request.getfixturevalue("vhost_url"))
    count = 500
    leave(url, [event(number) for number in range(count)])
    with start(directory, url, "--rate", "200") as child:
        assert stop_half_way(child, url, count, signal.SIGINT) == 130
        done = replayed_so_far(url)
        assert child.stdout == [f"replayed {done:,} dead letters of queue 'q'"]
        assert "ended as asked, the rest is left" in child.stderr
    wait_for_count(url, "q.dlq", count - done)
    assert ids(url, "q") + ids(url, "q.dlq") == Counter(f"event-{number}" for number in range(count))


def test_ctrl_c_while_it_is_only_looking_is_130_too(directory: Path) -> None:
    url = f"sqlite:///{directory}/broker.db"
    leave(url, [event(number) for number in range(3000)])
    listing = ("-m", "typed_pubsub.cli", "dlq", "show", "-A", "a_service:config", "1")
    (directory / "a_service.py").write_text(SERVICE + "\nprint('read', flush=True)\n")
    with Child(*listing, cwd=directory, env=environment(directory, BROKER=url)) as child:
        child.wait_for("read")
        child.signal(signal.SIGINT)
        # Done before it came, ended by it, or while Python itself was ending: a shell says 130 of that too.
        code = child.wait()
        assert code in (0, 130, -signal.SIGINT)
        assert code < 0 or "Traceback" not in child.output
