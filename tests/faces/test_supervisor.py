"""Several subscriber processes and the one that looks after them, killed and stopped in every way."""

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import NotFound

from tests.faces.conftest import Service
from tests.support.children import Child
from tests.support.rabbit import broker, eventually, queue_state
from typed_pubsub import Publisher, PubSubConfig
from typed_pubsub.ops.health import judge_file

TWO = ("--processes", "2")


class Held:
    """A service whose condition does not come back while it is held."""

    def __init__(self, service: Service, url: str) -> None:
        self._file = service.directory / "hold"
        self._service = service
        self.url = url

    def start(self, *options: str, **settings: Any) -> Child:
        return self._service.start(self.url, *options, task_mapping="held.ROWS", **settings)

    def hold(self) -> None:
        self._file.touch()

    def release(self) -> None:
        self._file.unlink(missing_ok=True)

    def publish(self, numbers: range) -> None:
        """Publishes them, and waits until subscribers have all of them in hand."""
        with Publisher(PubSubConfig(broker_url=self.url, exchange="events", unroutable="raise")) as publisher:
            for number in numbers:
                publisher.publish_event("a.key", {"number": number})
        eventually(lambda: queue_state(self.url, "a-queue").message_count == 0, what="all in hand")

    def scheduled(self, numbers: range) -> None:
        """Waits until each of them is a task; those that came twice have one id."""
        ids: dict[int, set[str]] = {}

        def take() -> bool:
            with contextlib.suppress(NotFound):
                while (task := channel.basic_get("celery", no_ack=True)) is not None:
                    ids.setdefault(json.loads(task.body)[0][0], set()).add(task.headers["id"])
            return ids.keys() >= {*numbers}

        with broker(self.url) as connection:
            channel = connection.default_channel
            channel.auto_decode = False
            eventually(take, what=f"tasks for {numbers}")
        assert ids.keys() == {*numbers}
        assert all(len(each) == 1 for each in ids.values())


@pytest.fixture
def held(service: Service, vhost_url: str) -> Iterator[Held]:
    made = Held(service, vhost_url)
    yield made
    made.release()


def pids(child: Child, count: int = 2) -> list[int]:
    """Of the processes that consume, in the order of their start."""
    child.wait_for("consuming queue", count=count)
    return [int(line.rsplit(" ", 1)[1]) for line in child.wait_for("typed_pubsub.supervisor", " started: ")]


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_when_a_process_is_killed_another_takes_over_and_nothing_is_lost(held: Held, tmp_path: Path) -> None:
    health = tmp_path / "health.json"
    with held.start(*TWO, health_file=str(health)) as child:
        first, second = pids(child)
        eventually(lambda: judge_file(health, time.time()).ok, what="a healthy whole")
        held.hold()
        held.publish(range(40))
        os.kill(first, signal.SIGKILL)
        child.wait_for(f"process 1 ({first}) was killed by SIGKILL", "it is started again in 0.5 s")
        held.release()
        held.scheduled(range(40))
        third = pids(child, 3)[2]
        assert not is_gone(second)
        eventually(lambda: judge_file(health, time.time()).ok, what="a healthy whole again")
        assert child.terminate() == 0, child.output
    assert is_gone(third)
    assert child.stdout == ["Starting subscriber..."]
    assert len([line for line in child.stderr if line.startswith("routing key")]) == 1, "one banner for all"
    consuming = [line for line in child.stderr if "consuming queue" in line]
    assert sorted(line.split("typed_pubsub.subscriber: ")[1][:4] for line in consuming) == ["[1] ", "[1] ", "[2] "]


def test_when_the_supervisor_is_killed_its_processes_drain_and_end(held: Held) -> None:
    with held.start(*TWO) as child:
        started = pids(child)
        held.hold()
        held.publish(range(10))
        child.signal(signal.SIGKILL)
        # They learn of it while their handlers do not come back.
        child.wait_for("process 1 started")
        held.release()
        child.wait_for("stopped as asked", count=2)
        eventually(lambda: all(map(is_gone, started)), what="the end of both")
    held.scheduled(range(10))


def test_a_process_that_cannot_drain_does_not_outlive_a_supervisor_that_is_gone(held: Held) -> None:
    with held.start(*TWO, drain_timeout=0.5) as child:
        started = pids(child)
        held.hold()
        held.publish(range(10))
        child.signal(signal.SIGKILL)
        eventually(lambda: all(map(is_gone, started)), what="the end of both")
    eventually(lambda: queue_state(held.url, "a-queue").message_count == 10, what="all, back in their queue")


def test_a_signal_to_all_processes_at_once_drains_them_and_counts_once(held: Held) -> None:
    """Ctrl-C goes to the whole group of a terminal, and systemd's SIGTERM to the whole of a service."""
    with held.start(*TWO) as child:
        started = pids(child)
        held.hold()
        held.publish(range(10))
        child.signal(signal.SIGUSR1)
        child.wait_for("deliveries in hand, the oldest for", count=2)
        for pid in (child.pid, *started):
            os.kill(pid, signal.SIGINT)
        child.wait_for("SIGINT: stopping 2 processes, which have 10 s to drain")
        held.release()
        assert child.wait() == 0, child.output
    held.scheduled(range(10))
    assert queue_state(held.url, "a-queue").message_count == 0
    assert "Traceback" not in child.output


def test_the_second_signal_ends_all_at_once(held: Held) -> None:
    with held.start(*TWO, drain_timeout=600) as child:
        started = pids(child)
        held.hold()
        held.publish(range(10))
        child.signal(signal.SIGTERM)
        child.wait_for("which have 600 s to drain")
        assert child.alive
        assert child.terminate() == 128 + signal.SIGTERM, child.output
    eventually(lambda: all(map(is_gone, started)), what="the end of both")
    eventually(lambda: queue_state(held.url, "a-queue").message_count == 10, what="all, back in their queue")


def test_a_process_that_overruns_its_time_for_draining_is_killed(held: Held) -> None:
    with held.start(*TWO, drain_timeout=0.5) as child:
        pids(child)
        held.hold()
        held.publish(range(1))
        child.signal(signal.SIGHUP)
        child.wait_for("did not end within 5.5 s: killed")
        assert child.wait() == 128 + signal.SIGKILL, child.output
    eventually(lambda: queue_state(held.url, "a-queue").message_count == 1, what="the event, back in its queue")


@pytest.mark.once
def test_a_process_that_always_crashes_is_started_again_with_growing_pauses(service: Service) -> None:
    (service.directory / "service.py").write_text("raise LookupError('always')\n")
    with service.start("amqp://nowhere//", "--log-format", "json", *TWO) as child:
        child.wait_for('"child": 1', "process 1 started", count=4)
        assert child.terminate() in {0, 1}, "1: one crashed just when all were asked to end"
    told = [json.loads(line) for line in child.stderr if '"child": 1' in line]
    times = [(line["message"], datetime.fromisoformat(line["time"])) for line in told]
    ended = [time for message, time in times if "it is started again in" in message]
    started = [time for message, time in times if "started: " in message]
    pauses = [(again - end).total_seconds() for end, again in zip(ended[:3], started[1:4], strict=True)]
    assert all(pause >= least - 0.01 for pause, least in zip(pauses, (0.5, 1.0, 2.0), strict=True)), pauses
    assert pauses == sorted(pauses)
    assert "LookupError: always" in child.output
    assert child.stdout == [], "nothing has started"


@pytest.mark.once
def test_wrong_settings_end_the_whole_at_once_with_2(any_face: Service) -> None:
    code, child = any_face.run("redis://h/0", *TWO)
    assert code == 2, child.output
    assert "BROKER_URL" in child.output
    assert "that ends all" in child.output
    assert len([line for line in child.lines if " started: " in line]) == 2, "none a second time"
    assert child.stdout == []


@pytest.mark.once
def test_no_broker_at_the_first_start_ends_the_whole_with_3(service: Service, nobody_there: str) -> None:
    code, child = service.run(nobody_there, *TWO, connect_timeout=1)
    assert code == 3, child.output
    assert "s3cret" not in child.output


@pytest.mark.once
def test_the_environment_may_say_how_many(service: Service, nobody_there: str) -> None:
    code, child = service.run(nobody_there, env={"TYPED_PUBSUB_PROCESSES": "3"}, connect_timeout=0.5)
    assert code == 3, child.output
    assert len([line for line in child.lines if " started: " in line]) == 3, "and the children have no children"
