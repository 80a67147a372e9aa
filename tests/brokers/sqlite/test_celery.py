"""Celery on the embedded broker: workers of every pool, remote control, events, and tasks that wait or die."""

import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

import typed_pubsub  # noqa: F401  # the scheme sqlite:// is known from here on
from tests.support.children import Child, environment
from tests.support.rabbit import eventually, queue_state

LEASE = 1.0
SERVICE = """
import os, time
import typed_pubsub  # the scheme sqlite:// is known from here on
from celery import Celery

app = Celery("service", broker=os.environ["BROKER"])
app.conf.task_ignore_result = True
app.conf.worker_prefetch_multiplier = 1

def note(*what):
    with open("notes", "a") as notes:
        notes.write(" ".join(map(str, what)) + "\\n")

@app.task(name="note")
def noted(number):
    note("note", number)

@app.task(name="parent")
def parent(number):
    noted.delay(number)

@app.task(name="slow", acks_late=True)
def slow(seconds):
    note("begins", os.getpid())
    time.sleep(seconds)
    note("ends", os.getpid())
"""


class Service:
    """The service's directory, its app as a client, and its workers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.url = f"sqlite:///{directory}/broker.db?lease={LEASE}"
        (directory / "service.py").write_text(SERVICE)
        self.app = Celery("client", broker=self.url, set_as_current=False)
        self.app.conf.task_ignore_result = True

    def send(self, name: str, *args: Any, **options: Any) -> None:
        self.app.send_task(name, args, retry=False, **options)

    def notes(self) -> list[str]:
        path = self.directory / "notes"
        return path.read_text().splitlines() if path.exists() else []

    @contextmanager
    def worker(self, name: str = "one", pool: str = "prefork") -> Iterator[Child]:
        arguments = ["-m", "celery", "-A", "service", "worker", "-l", "INFO", "-c", "2"]
        arguments += ["-n", f"{name}@here", "-P", pool]
        env = environment(self.directory, BROKER=self.url)
        with Child(*arguments, cwd=self.directory, env=env) as child:
            child.wait_for("ready.")
            yield child


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    service = Service(tmp_path)
    yield service
    service.app.close()


@pytest.mark.parametrize(
    "pool", ["prefork", *(pytest.param(pool, marks=pytest.mark.once) for pool in ("threads", "solo"))]
)
def test_workers_of_every_pool_execute_each_task_once(service: Service, pool: str) -> None:
    with service.worker(pool=pool) as worker:
        for number in range(100):
            # A task of a child process that sends a task, on a connection of its own.
            service.send("parent", number)
        eventually(lambda: len(service.notes()) >= 100, what="100 notes")
        assert worker.terminate() == 0
    assert Counter(service.notes()) == Counter({f"note {number}": 1 for number in range(100)})
    assert queue_state(service.url, "celery").message_count == 0
    assert "Traceback" not in worker.output


def test_remote_control_and_events_work(service: Service) -> None:
    with service.worker() as worker, service.app.connection_for_read() as connection:
        inspect = service.app.control.inspect(destination=["one@here"], timeout=10.0)
        assert inspect.ping() == {"one@here": {"ok": "pong"}}
        registered: Any = inspect.registered()
        assert {"note", "parent", "slow"} <= set(registered["one@here"])
        assert "sqlite" in str(inspect.stats())
        service.app.control.enable_events(destination=["one@here"], reply=True, timeout=10.0)
        seen: list[str] = []
        receiver = service.app.events.Receiver(connection, handlers={"*": lambda event: seen.append(event["type"])})

        def all_seen() -> bool:
            # Events go to whoever listens, and listening begins with the first capture.
            service.send("note", 2)
            with contextlib.suppress(TimeoutError):
                receiver.capture(limit=3, timeout=1.0)
            return {"task-received", "task-started", "task-succeeded"} <= set(seen)

        eventually(all_seen, what="events")
        service.app.control.shutdown()
        assert worker.wait() == 0


@pytest.mark.once
def test_a_countdown_longer_than_the_lease_runs_once(service: Service) -> None:
    with service.worker("one"), service.worker("two"):
        begun = time.monotonic()
        service.send("note", 1, countdown=4 * LEASE)
        service.send("note", 2)
        eventually(lambda: "note 2" in service.notes())
        eventually(lambda: "note 1" in service.notes())
        assert time.monotonic() - begun > 3.5 * LEASE
        over = time.monotonic() + 2 * LEASE
        eventually(lambda: time.monotonic() > over)
    assert Counter(service.notes()) == {"note 1": 1, "note 2": 1}


@pytest.mark.once
def test_a_task_that_keeps_its_worker_busy_longer_than_the_lease_runs_once(service: Service) -> None:
    # The solo pool runs it in the thread that would look at the broker.
    with service.worker("one", "solo"), service.worker("two", "solo"):
        service.send("slow", 3 * LEASE)
        eventually(lambda: any(note.startswith("ends") for note in service.notes()))
        over = time.monotonic() + 2 * LEASE
        eventually(lambda: time.monotonic() > over)
    assert len(service.notes()) == 2


def test_the_tasks_of_a_worker_that_was_killed_run_in_another(service: Service) -> None:
    with service.worker("one") as one:
        service.send("slow", 60)
        (begun,) = eventually(service.notes)
        one.signal(signal.SIGKILL)
        one.wait()
        child = int(begun.split()[1])
        with service.worker("two"):
            eventually(lambda: len(service.notes()) == 2, what="a second begin")
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    assert [note.split()[0] for note in service.notes()] == ["begins", "begins"]


def test_a_worker_that_is_killed_and_started_again_at_once_goes_on(service: Service) -> None:
    with service.worker("one") as one:
        one.signal(signal.SIGKILL)
        one.wait()
    # Of the same name, with nobody else there to see that the first one is dead.
    with service.worker("one"):
        service.send("note", 1)
        eventually(lambda: service.notes() == ["note 1"])


def test_a_worker_of_a_broker_it_cannot_use_says_why(tmp_path: Path) -> None:
    service = Service(tmp_path)
    service.url = f"sqlite:///{tmp_path}/missing/broker.db"
    env = environment(tmp_path, BROKER=service.url)
    with Child("-m", "celery", "-A", "service", "worker", "-P", "solo", cwd=tmp_path, env=env) as worker:
        worker.wait_for("there is no directory")
        assert worker.wait() != 0
