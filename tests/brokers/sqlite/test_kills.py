"""Events through publisher, subscriber and worker while these are killed in turn: nothing is lost."""

import contextlib
import signal
import sqlite3
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.children import Child, environment
from tests.support.rabbit import eventually, queue_state

SERVICE = """
import logging, os, sys
from uuid import NAMESPACE_DNS, uuid5
from celery import Celery, current_task
from typed_pubsub import Publisher, PubSubConfig, StructEvent, Subscriber, TaskMapping, task

URL = os.environ["BROKER"]
app = Celery("service", broker=URL)
app.conf.update(task_ignore_result=True, task_acks_late=True, task_reject_on_worker_lost=True)

class Happened(StructEvent, routing_key="app.happened"):
    number: int

@task(app, name="record")
def record(number: int) -> None:
    with open("runs", "a") as runs:
        runs.write(f"{number} {current_task.request.id}\\n")

mapping = TaskMapping()
mapping.route(Happened).to(record, lambda event, send: send(event.number))
config = PubSubConfig(mapping, lambda: app, URL, "events", "service", unroutable="raise", publish_timeout=60)

def publish(first: int, end: int) -> None:
    with Publisher(config) as publisher:
        for number in range(first, end):
            # What was under way when it was killed is published again under the id that it had.
            publisher.publish(Happened(number=number), event_id=uuid5(NAMESPACE_DNS, str(number)))
            if number % 20 == 0 or number == end - 1:
                print("confirmed", number, flush=True)

if __name__ == "__main__":
    if sys.argv[1] == "publish":
        publish(int(sys.argv[2]), int(sys.argv[3]))
    else:
        logging.basicConfig(level="INFO", stream=sys.stdout)
        logging.getLogger("typed_pubsub.subscriber").setLevel("WARNING")
        print("starts", flush=True)
        Subscriber(config).start()
"""


class Fleet:
    """The three processes, and what they have done so far."""

    def __init__(self, directory: Path, events: int) -> None:
        self.directory = directory
        self.events = events
        self.url = f"sqlite:///{directory}/broker.db"
        self.confirmed = -1
        (directory / "service.py").write_text(SERVICE)
        self.subscriber = self.start("service.py", "subscribe")
        eventually(lambda: (state := queue_state(self.url, "service")) and state.consumer_count)
        self.worker = self.start_worker()
        self.publisher = self.start_publisher()

    def start(self, *arguments: str) -> Child:
        return Child(*arguments, cwd=self.directory, env=environment(self.directory, BROKER=self.url))

    def start_worker(self) -> Child:
        quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        return self.start("-m", "celery", "-A", "service", "worker", "-c", "2", "-l", "WARNING", *quiet)

    def start_publisher(self) -> Child:
        return self.start("service.py", "publish", str(self.confirmed + 1), str(self.events))

    def look(self) -> int:
        """How many events are confirmed."""
        lines = [line for line in self.publisher.stdout if line.startswith("confirmed")]
        self.confirmed = max([self.confirmed, *(int(line.split()[1]) for line in lines)])
        return self.confirmed + 1

    def kill_publisher(self) -> None:
        kill(self.publisher)
        self.look()
        self.publisher = self.start_publisher()

    def kill_subscriber(self) -> None:
        kill(self.subscriber)
        self.subscriber = self.start("service.py", "subscribe")

    def kill_worker(self) -> None:
        kill(self.worker)
        self.worker = self.start_worker()

    def runs(self) -> dict[int, list[str]]:
        """The number of each event -> the ids that its task ran under."""
        runs: defaultdict[int, list[str]] = defaultdict(list)
        path = self.directory / "runs"
        for line in path.read_text().splitlines() if path.exists() else ():
            number, task_id = line.split()
            runs[int(number)].append(task_id)
        return runs

    def told(self) -> str:
        """What they said last, for a test that has failed."""
        names = {"publisher": self.publisher, "subscriber": self.subscriber, "worker": self.worker}
        return "\n".join(f"{name}, alive: {each.alive}\n" + "\n".join(each.lines[-40:]) for name, each in names.items())

    def end(self) -> None:
        for child in (self.publisher, self.subscriber, self.worker):
            child.__exit__(None, None, None)


def kill(child: Child) -> None:
    child.signal(signal.SIGKILL)
    child.wait()


def messages(directory: Path) -> int:
    """How many messages the broker has, in any queue, ready or under way."""
    with contextlib.closing(sqlite3.connect(directory / "broker.db")) as connection:
        ((count,),) = connection.execute("select count(*) from message")
    return int(count)


@pytest.mark.once
@pytest.mark.timeout(300)
@pytest.mark.parametrize(("events", "kills"), [(3_000, 6), pytest.param(10_000, 10, marks=pytest.mark.slow)])
def test_events_survive_that_everything_is_killed(tmp_path: Path, events: int, kills: int) -> None:
    fleet = Fleet(tmp_path, events)
    try:
        in_turn: list[Callable[[], None]] = [fleet.kill_subscriber, fleet.kill_publisher, fleet.kill_worker]
        for number in range(kills):
            due = (number + 1) * events // (kills + 1)
            eventually(lambda due=due: fleet.look() >= due, timeout=60, what=f"{due} events")  # type: ignore[misc]
            eventually(lambda due=due: len(fleet.runs()) >= due // 3, timeout=60, what=f"{due // 3} runs")  # type: ignore[misc]
            in_turn[number % 3]()
        assert fleet.publisher.wait(120) == 0
        eventually(lambda: len(fleet.runs()) == events, timeout=60, what=f"{events} events' runs")
        # What is under way counts too: what they have not looked at when they are asked to end, they put back.
        eventually(lambda: messages(tmp_path) == 0, timeout=60, what="an end of what came twice")
        assert fleet.subscriber.terminate() == 0
        assert fleet.worker.terminate() == 0
    except AssertionError as error:
        error.add_note(fleet.told())
        raise
    finally:
        fleet.end()
    runs = fleet.runs()
    assert sorted(runs) == list(range(events)), "nothing is lost"
    assert all(len(set(ids)) == 1 for ids in runs.values()), "whatever came twice came under the id that it had"
    # A prefetch window of 200 events a kill, and what a killed worker had under way.
    assert sum(map(len, runs.values())) - events <= kills * 200
    assert queue_state(fleet.url, "service.dlq").message_count == 0
    connection = sqlite3.connect(tmp_path / "broker.db")
    assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()
    assert messages(tmp_path) == 0
