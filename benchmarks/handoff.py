"""The hand-off: consume, validate, schedule a Celery task, acknowledge. Each subscriber is a process of its own.

Run as a program it is one of the subscribers: it says when it is ready and begins when it is told to.
"""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import kombu
from celery import Celery
from kombu.mixins import ConsumerMixin

from benchmarks.broker import EVENTS, TASKS, Bench
from benchmarks.events import EXCHANGE, BenchMatchPublished
from typed_pubsub import PubSubConfig, Subscriber, TaskCall, TaskMapping, call, task

app = Celery("bench", broker=os.environ.get("BENCH_URL", "amqp://"))
app.conf.task_default_queue = TASKS
app.conf.task_ignore_result = True


@task(app, name="bench.tasks.execute")
def execute(match_id: UUID, title: str) -> None:
    """Never run: the tasks are counted on their queue."""


mapping = TaskMapping()


@mapping.on(BenchMatchPublished, when=lambda event: event.competition == "league")
def schedule(event: BenchMatchPublished) -> TaskCall:
    """The route of ours."""
    return call(execute, event.match_id, title=event.title)


class HandWritten(ConsumerMixin):
    """What one writes without a library: validate, ``apply_async``, acknowledge."""

    def __init__(self, connection: kombu.Connection) -> None:
        self.connection = connection

    def get_consumers(self, Consumer: Any, channel: Any) -> Sequence[Any]:  # noqa: ARG002, N803  # kombu's signature
        """One consumer, with our prefetch."""
        queue = kombu.Queue(EVENTS, no_declare=True)
        return [Consumer([queue], on_message=self.on_message, prefetch_count=200)]

    def on_message(self, message: Any) -> None:
        """One event."""
        event = BenchMatchPublished.model_validate_json(message.body)
        if event.competition == "league":
            execute.apply_async((event.match_id,), {"title": event.title})
        message.ack()


def run_ours(url: str) -> None:
    """The library's subscriber. Nobody has set up logging here, so it writes no line a delivery; nor do the others."""
    Subscriber(PubSubConfig(mapping, lambda: app, url, EXCHANGE, EVENTS)).start()


def run_hand_written(url: str) -> None:
    """Unconfirmed, as Celery is by default."""
    HandWritten(kombu.Connection(url)).run()


def run_hand_written_confirmed(url: str) -> None:
    """Each task waits for its confirm."""
    app.conf.broker_transport_options = {"confirm_publish": True}
    HandWritten(kombu.Connection(url)).run()


SUBSCRIBERS = {
    "ours": run_ours,
    "hand-written": run_hand_written,
    "hand-written-confirmed": run_hand_written_confirmed,
}


def measure(name: str, url: str, count: int) -> tuple[float, float]:
    """Events a second until all tasks stand on Celery's queue, and microseconds of CPU an event."""
    with Bench(url) as bench:
        bench.fill(count)
        command = [sys.executable, "-m", "benchmarks.handoff", name]
        environment = {**os.environ, "BENCH_URL": url}
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
            try:
                if process.stdin is None or process.stdout is None or not process.stdout.readline():
                    msg = f"{name} did not start"
                    raise RuntimeError(msg)
                cpu, begun = _cpu(process.pid), time.perf_counter()
                process.stdin.write(b"go\n")
                process.stdin.flush()
                bench.wait_for(TASKS, count, lambda: process.poll() is None)
                seconds, cpu = time.perf_counter() - begun, _cpu(process.pid) - cpu
            finally:
                process.kill()
    return count / seconds, cpu / count * 1e6


def _cpu(pid: int) -> float:
    """Seconds of CPU that a process has used (Linux)."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:  # noqa: PTH123
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """One subscriber, until it is killed."""
    run = SUBSCRIBERS[sys.argv[1]]
    app.finalize()
    print("ready", flush=True)
    sys.stdin.readline()
    run(os.environ["BENCH_URL"])


if __name__ == "__main__":
    main()
