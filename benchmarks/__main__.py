"""``python -m benchmarks``: one table from one run on a private RabbitMQ, and the same as JSON."""

import argparse
from pathlib import Path

from benchmarks import grown, latency, micro
from benchmarks.aims import judge
from benchmarks.contenders import CONSUMERS, PUBLISHERS, SUBSCRIBERS
from benchmarks.events import SIZES
from benchmarks.measure import world
from benchmarks.results import Results, setting
from benchmarks.sections import rates, tell
from benchmarks.table import show
from typed_pubsub.testing.nodes import RabbitMQNode

PARTS = ("publish", "hand-off", "latency", "micro")


def main() -> None:
    """Measures, prints, writes."""
    options = arguments().parse_args()
    results = Results()
    with RabbitMQNode(vhosts=1) as node, world(node.vhost()) as where:
        results.setting = setting(node.ctl("version").strip(), options.rounds)
        if "publish" in options.parts:
            results.lines += rates(where, PUBLISHERS, options.events, options.rounds, options.sizes)
        if "hand-off" in options.parts:
            contenders = (*SUBSCRIBERS, *CONSUMERS)
            results.lines += rates(where, contenders, options.handoffs, options.rounds, options.sizes)
        if "latency" in options.parts:
            results.waits += latency.requests(where, options.requests, options.rounds)
            results.waits += latency.loads(where, results, options.seconds, options.rounds)
    if "micro" in options.parts:
        results.micro = micro.measured()
    tell("")
    verdicts = list(judge(results))
    if options.growth.exists():
        verdicts += grown.judge(grown.Growth.read(options.growth))
    show(results, verdicts)
    results.write(options.json)
    print(f"\n{options.json}")


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    add("--sizes", nargs="+", type=int, default=SIZES, help="bytes of an event's body (default: 220 1500 20000)")
    add("--events", type=int, default=20_000, help="events that the fastest publishes (default: %(default)s)")
    add("--handoffs", type=int, default=8_000, help="events that the fastest hands off (default: %(default)s)")
    add("--requests", type=int, default=300, help="single publications (default: %(default)s)")
    add("--seconds", type=float, default=4.0, help="of load, for the latency (default: %(default)s)")
    add("--rounds", type=int, default=5, help="interleaved rounds (default: %(default)s)")
    add("--json", type=Path, default=Path("build/benchmarks.json"), help="default: %(default)s")
    add("--growth", type=Path, default=Path("build/growth.json"), help="of make bench-growth (default: %(default)s)")
    return parser


if __name__ == "__main__":
    main()
