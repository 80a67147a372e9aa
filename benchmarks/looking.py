"""``python -m benchmarks.looking``: what a look costs a subscriber at work: tail, dlq list and topology show beside it.

The subscriber hands off a backlog as fast as it can, on a private RabbitMQ; meanwhile other events pass through the
exchange, which only ``tail`` takes. Each round goes once through all cases, one of which looks at nothing.
"""

import argparse
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from statistics import median

import amqp

from benchmarks import service
from benchmarks.broker import EVENTS, TASKS, connect
from benchmarks.contenders import SUBSCRIBERS, Contender
from benchmarks.events import EXCHANGE
from benchmarks.measure import World, subscriber, world
from benchmarks.program import Job
from benchmarks.sections import tell
from typed_pubsub import Publisher, PubSubConfig
from typed_pubsub.testing.nodes import RabbitMQNode

ALONE = "nothing"
COMMANDS = {
    "tail": ["tail"],
    "dlq list, 1,000 letters": ["dlq", "list"],
    "topology show": ["topology", "show"],
}
#: Events a second that pass meanwhile, and are nobody's.
PASSING = 200
_LETTERS = 1_000
#: Of the subscriber's rate, that a look may cost.
AIM = 0.05

config = PubSubConfig(
    service.mapping, lambda: service.app, os.environ.get("BENCH_URL", "amqp://localhost"), EXCHANGE, EVENTS
)


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.looking", description=__doc__)
    parser.add_argument("--events", type=int, default=60_000, help="of a round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="interleaved rounds (default: %(default)s)")
    options = parser.parse_args()
    ours = next(one for one in SUBSCRIBERS if one.ours)
    rates: dict[str, list[float]] = {name: [] for name in (ALONE, *COMMANDS)}
    with RabbitMQNode(vhosts=1) as node, world(node.vhost()) as where:
        _dead_letters(where.bench.url)
        for number in range(options.rounds):
            for name, found in rates.items():
                tell(f"round {number + 1} of {options.rounds}: beside {name}")
                found.append(_round(where, ours, options.events, COMMANDS.get(name)))
    tell("")
    alone = median(rates[ALONE])
    print(
        f"hand-offs a second, medians of {options.rounds} rounds of {options.events:,} events, {os.cpu_count()} cores"
    )
    for name, found in rates.items():
        cost = 1 - median(found) / alone
        verdict = (
            "" if name == ALONE else f"  {cost:6.1%}  {'within' if cost <= AIM else 'misses'} the aim of {AIM:.0%}"
        )
        print(f"beside {name:26}{median(found):9,.0f}{verdict}")


def _round(where: World, ours: Contender, count: int, command: list[str] | None) -> float:
    with subscriber(where, ours, Job(where.bench.url, count)) as child:
        child.pause()
        where.bench.fill(count)
        where.drainer.begin(TASKS, count)
        with _passing(where.bench.url), _looking(where.bench.url, command):
            begun = time.monotonic()
            child.go_on()
            at: float = where.drainer.found(count)["at"]
    return count / (at - begun)


@contextmanager
def _looking(url: str, command: list[str] | None) -> Generator[None]:
    """The command beside what happens meanwhile: ``tail`` all the time, the others once."""
    if command is None:
        yield
        return
    program = [sys.executable, "-m", "typed_pubsub.cli", *command, "-A", "benchmarks.looking:config"]
    with subprocess.Popen(
        program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env={**os.environ, "BENCH_URL": url}
    ) as looking:
        assert looking.stderr is not None
        if command == ["tail"]:
            assert looking.stderr.readline().startswith("watching")
        yield
        if command == ["tail"]:
            looking.terminate()
        told = looking.stderr.read()
        assert looking.wait() == 0, told


@contextmanager
def _passing(url: str) -> Generator[None]:
    """Events that no queue of ours takes."""
    over = threading.Event()

    def publish() -> None:
        with Publisher(PubSubConfig(broker_url=url, exchange=EXCHANGE, unroutable="ignore")) as publisher:
            while not over.wait(1 / PASSING):
                publisher.publish_event("looking.passes", {"number": 1})

    thread = threading.Thread(target=publish)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _dead_letters(url: str) -> None:
    connection = connect(url)
    channel = connection.channel()
    queue = f"{EVENTS}.dlq"
    channel.queue_declare(queue, durable=True, auto_delete=False)
    headers = {"x-pubsub-reason": "mapping_error", "x-pubsub-detail": "a detail", "x-pubsub-routing-key": "bench.a"}
    for _ in range(_LETTERS):
        channel.basic_publish(amqp.Message(b"{}", application_headers=headers), "", queue)
    connection.close()


if __name__ == "__main__":
    main()
