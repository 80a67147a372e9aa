"""``python -m benchmarks``: one table from one run on a private RabbitMQ, and the same as JSON."""

import argparse
import json
import os
import platform
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

from benchmarks import handoff, publishing
from benchmarks.events import BODY_BYTES
from typed_pubsub.testing.nodes import RabbitMQNode

_WAITS_FOR_EACH = 4


@dataclass
class Contender:
    """Somebody who does the work; ``share``: waits for each confirm, so gets fewer events to do."""

    work: str
    name: str
    share: int = 1
    rates: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])

    def add(self, measured: tuple[float, float]) -> None:
        """One round: events a second, microseconds of CPU an event."""
        self.rates.append(measured[0])
        self.cpu.append(measured[1])

    @property
    def rate(self) -> float:
        """Events a second, the median of the rounds."""
        return median(self.rates)


PUBLISH, HAND_OFF = "publish", "consume, validate, Celery task, ack"
PUBLISHERS = {
    "publish_many, confirmed": (publishing.ours, 1),
    "kombu, unconfirmed": (publishing.kombu_unconfirmed, 1),
    "kombu, confirmed (confirm_publish)": (publishing.kombu_confirmed, _WAITS_FOR_EACH),
}
SUBSCRIBERS = {
    "Subscriber, confirmed": ("ours", 1),
    "ConsumerMixin + apply_async, unconfirmed": ("hand-written", 1),
    "ConsumerMixin + apply_async, confirmed": ("hand-written-confirmed", _WAITS_FOR_EACH),
}


def main() -> None:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--events", type=int, default=20_000, help="events to publish (default: %(default)s)")
    parser.add_argument("--handoffs", type=int, default=8_000, help="events to hand off (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved rounds (default: %(default)s)")
    parser.add_argument("--json", type=Path, default=Path("build/benchmarks.json"), help="default: %(default)s")
    options = parser.parse_args()
    publishers = [Contender(PUBLISH, name, share) for name, (_, share) in PUBLISHERS.items()]
    subscribers = [Contender(HAND_OFF, name, share) for name, (_, share) in SUBSCRIBERS.items()]
    with RabbitMQNode(vhosts=1) as node:
        url, version = node.vhost(), node.ctl("version").strip()
        for number in range(options.rounds):
            for one in publishers:
                tell(f"round {number + 1} of {options.rounds}: {one.name}")
                one.add(publishing.measure(PUBLISHERS[one.name][0], url, options.events // one.share))
            for one in subscribers:
                tell(f"round {number + 1} of {options.rounds}: {one.name}")
                one.add(handoff.measure(SUBSCRIBERS[one.name][0], url, options.handoffs // one.share))
    tell("")
    setting = (
        f"RabbitMQ {version}, Python {platform.python_version()}, {os.cpu_count()} cores; {BODY_BYTES}-byte events, "
        f"persistent, durable classic queues; medians of {options.rounds} interleaved rounds"
    )
    show(setting, publishers, subscribers)
    options.json.parent.mkdir(parents=True, exist_ok=True)
    written = {"setting": setting, "results": [asdict(one) | {"median": one.rate} for one in publishers + subscribers]}
    options.json.write_text(json.dumps(written, indent=1) + "\n")
    print(f"\n{options.json}")


def show(setting: str, *groups: Sequence[Contender]) -> None:
    """Prints the table; ``ours`` is how many times its rate is the other's."""
    print(textwrap.fill(setting, 80))
    for group in groups:
        ours = group[0]
        print(f"\n{ours.work:<42}{'events/s':>9}{'lowest-highest':>16}{'ours':>6}{'us CPU':>7}")
        for one in group:
            spread = f"{min(one.rates):,.0f}-{max(one.rates):,.0f}"
            print(f"{one.name:<42}{one.rate:>9,.0f}{spread:>16}{ours.rate / one.rate:>5.1f}x{median(one.cpu):>7,.0f}")


def tell(what: str) -> None:
    """Says on a terminal how far it is."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
