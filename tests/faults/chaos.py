"""``python -m tests.faults.chaos``: random faults at random times over load, from a seed, with the matrix's oracle."""

import argparse
import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.faults.oracle import Verdict
from tests.faults.row import Row, run_row
from tests.faults.rows_connections import proxies
from tests.faults.world import World
from tests.support.proxy import Proxy
from typed_pubsub.testing.nodes import RabbitMQNode

Step = Callable[[World], None]
_LONGEST = 4.0


def nothing(_: World) -> None:
    """What a fault that is over at once has for an end."""


@dataclass(frozen=True, slots=True)
class Fault:
    """``begin``, a while, ``end``; two of one ``part`` are never under way together."""

    name: str
    part: str
    begin: Step
    end: Step = nothing


def _network(name: str, part: str, of: Callable[[World], Proxy]) -> list[Fault]:
    def slow(world: World) -> None:
        of(world).latency = 0.1

    def quick(world: World) -> None:
        of(world).latency = 0.0

    def cut_and_release(world: World) -> None:
        of(world).cut()
        of(world).release()

    return [
        Fault(f"{name}: cut", part, lambda world: of(world).cut()),
        Fault(f"{name}: nothing arrives at the broker", part, lambda world: of(world).hold_up(), cut_and_release),
        Fault(f"{name}: the broker's answers are held", part, lambda world: of(world).hold_down(), cut_and_release),
        Fault(f"{name}: a pause", part, lambda world: of(world).hold_down(), lambda world: of(world).release()),
        Fault(f"{name}: refused", part, lambda world: of(world).refuse(), lambda world: of(world).accept()),
        Fault(f"{name}: 100 ms latency", part, slow, quick),
    ]


def _kill(world: World) -> None:
    world.kill()


def _stop(world: World) -> None:
    # A signal to a process that is still importing would end it as any other.
    if world.health().get("consuming"):
        world.stop()


def _start(world: World) -> None:
    if world.subscriber is None:
        world.start()


def _signal(number: signal.Signals) -> Step:
    def send(world: World) -> None:
        if world.subscriber is not None:
            world.subscriber.signal(number)

    return send


def _node(of: Callable[[RabbitMQNode], object]) -> Step:
    def step(world: World) -> None:
        assert world.node is not None
        of(world.node)

    return step


PROCESS = [
    Fault("subscriber: SIGKILL", "subscriber", _kill, _start),
    Fault("subscriber: SIGTERM", "subscriber", _stop, _start),
    Fault("subscriber: frozen", "subscriber", _signal(signal.SIGSTOP), _signal(signal.SIGCONT)),
]
NODE = [
    Fault("RabbitMQ: kill -9", "node", _node(lambda node: node.kill()), _node(lambda node: node.start())),
    Fault("RabbitMQ: frozen", "node", _node(lambda node: node.pause()), _node(lambda node: node.resume())),
    Fault(
        "RabbitMQ: restarted",
        "node",
        _node(lambda node: node.ctl("stop_app")),
        _node(lambda node: node.ctl("start_app")),
    ),
    Fault(
        "RabbitMQ: memory alarm",
        "node",
        _node(lambda node: node.ctl("set_vm_memory_high_watermark", "0.0001")),
        _node(lambda node: node.ctl("set_vm_memory_high_watermark", "absolute", "2GB")),
    ),
]
NETWORK = [
    *_network("events", "inbound", lambda world: proxies(world)[0]),
    *_network("tasks", "outbound", lambda world: proxies(world)[1]),
]
#: What may happen, by the kind of the broker; what a RabbitMQ node suffers is rarer than what its connections do.
FAULTS = {"rabbitmq": [*NETWORK, *NETWORK, *PROCESS, *PROCESS, *NODE], "embedded": PROCESS}


def run(world: World, random: Random, seconds: float, tell: Callable[[str], None]) -> Verdict:
    """Load for so long, and faults one after the other, now and then two at a time."""
    kinds = FAULTS["embedded" if world.events.startswith("sqlite") else "rabbitmq"]
    began = time.monotonic()
    world.start()
    with world.load():
        while time.monotonic() - began < seconds:
            picked = random.sample(kinds, random.choice((1, 1, 2)))
            faults = list({fault.part: fault for fault in picked}.values())
            lasting = random.uniform(0.1, _LONGEST)
            tell(f"{time.monotonic() - began:6.1f} s  {lasting:3.1f} s of {' + '.join(fault.name for fault in faults)}")
            _suffer(world, faults, lasting)
            if random.random() < 0.3 and not world.events.startswith("sqlite"):
                with contextlib.suppress(OSError):
                    world.poison(b"poison %d" % random.randrange(10**9))
            time.sleep(random.uniform(0.1, 1.5))
    return world.finish()


def _suffer(world: World, faults: Sequence[Fault], seconds: float) -> None:
    world.faults += len(faults)
    for fault in faults:
        fault.begin(world)
    time.sleep(seconds)
    for fault in reversed(faults):
        fault.end(world)


def chaos(
    seed: int, seconds: float, directory: Path, *, node: RabbitMQNode | None, tell: Callable[[str], None]
) -> Verdict:
    """One run, on RabbitMQ or, without a node, on the embedded broker."""
    row = Row(
        "chaos",
        lambda world: run(world, Random(seed), seconds, tell),
        "embedded" if node is None else "rabbitmq",
        False,
    )
    return run_row(row, directory, size=500, node=node)


def _told(verdict: Verdict) -> str:
    return (
        f"{verdict.events} events, {verdict.expected} tasks expected, {verdict.distinct} distinct, "
        f"{len(verdict.lost)} lost, {verdict.duplicates} duplicates, {verdict.dead_letters} dead letters, "
        f"{verdict.faults} faults, {verdict.seconds:.0f} s"
    )


def main() -> int:
    """Prints the timeline, the seed and the verdict of each run; 1 if anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=Random().randrange(10**6), help="the first one (default: any)")
    parser.add_argument("--seeds", type=int, default=1, help="how many, one after the other (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=1.0, help="of each (default: %(default)s)")
    parser.add_argument("--embedded", action="store_true", help="on the embedded broker")
    given = parser.parse_args()
    failed: list[int] = []
    with contextlib.ExitStack() as stack:
        node = None if given.embedded else stack.enter_context(RabbitMQNode(vhosts=given.seeds))
        for seed in range(given.seed, given.seed + given.seeds):
            print(f"seed {seed}", flush=True)
            with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
                verdict = chaos(
                    seed, given.minutes * 60, Path(directory), node=node, tell=lambda line: print(line, flush=True)
                )
            problems = verdict.problems()
            failed += [seed] * bool(problems)
            print(f"seed {seed}: {_told(verdict)}; {'; '.join(problems) or 'the promise held'}", flush=True)
    print(f"{given.seeds} seeds, {len(failed)} broke the promise: {failed}" if failed else "nothing lost")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
