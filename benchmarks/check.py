"""``python -m benchmarks.check``: has the library become slower? Quick, and the same answer on any machine.

Two halves. Ratios to the hand-written peer, in a few short rounds: never absolute times, and with a generous margin
below the aims (``limits.json``). And machine instructions of the hot path's steps, compared with those in
``instructions.json`` of the same Python; ``--update`` writes them anew.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.contenders import PUBLISHERS, SUBSCRIBERS, Contender
from benchmarks.events import BODY_BYTES
from benchmarks.instructions import NotCounted, counted
from benchmarks.measure import world
from benchmarks.results import Results
from benchmarks.sections import rates, tell
from typed_pubsub.testing.nodes import RabbitMQNode

_HERE = Path(__file__).parent
LIMITS, COUNTS = _HERE / "limits.json", _HERE / "instructions.json"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, what was found, what is asked, and whether that is so."""

    name: str
    found: str
    asked: str
    good: bool


def ratios(results: Results, limits: dict[str, Any]) -> Iterator[Finding]:
    """The ratios of a run beside those asked for."""
    for name, least in limits["ratios"].items():
        ours, other = _pair(name)
        found = _line(results, ours).rate / _line(results, other).rate
        yield Finding(name, f"{found:.2f}x", f">= {least:g}x", found >= least)
    for name, most in limits["cpu"].items():
        ours, other = _pair(name)
        found = median(_line(results, ours).cpu) / median(_line(results, other).cpu)
        yield Finding(f"CPU of {name}", f"{found:.2f}x", f"<= {most:g}x", found <= most)


def instructions(counts: dict[str, int], known: dict[str, int], tolerance: float) -> Iterator[Finding]:
    """The counts of this run beside the known ones."""
    for name, count in counts.items():
        if name not in known:
            yield Finding(name, f"{count:,}", "not known yet: --update", good=False)
            continue
        most = known[name] * (1 + tolerance)
        yield Finding(name, f"{count:,} ({count / known[name] - 1:+.1%})", f"<= {most:,.0f}", count <= most)
    for name in known.keys() - counts.keys():
        yield Finding(name, "not counted", f"{known[name]:,}", good=False)


def _pair(name: str) -> tuple[tuple[str, str], tuple[str, str]]:
    work, _, names = name.partition(": ")
    ours, _, other = names.partition(" / ")
    return (work, ours), (work, other)


def _line(results: Results, of: tuple[str, str]) -> Any:
    line = results.line(*of, BODY_BYTES)
    assert line is not None, of
    return line


def _named(limits: dict[str, Any], contenders: tuple[Contender, ...]) -> list[Contender]:
    wanted = {of for part in ("ratios", "cpu") for name in limits[part] for of in _pair(name)}
    return [one for one in contenders if (one.work, one.name) in wanted]


def _measured(limits: dict[str, Any], rounds: int) -> Results:
    results = Results()
    with RabbitMQNode(vhosts=1) as node, world(node.vhost()) as where:
        for contenders, events in ((PUBLISHERS, 15_000), (SUBSCRIBERS, 6_000)):
            results.lines += rates(where, _named(limits, contenders), events, rounds, (BODY_BYTES,))
    tell("")
    return results


def _shown(findings: Iterator[Finding]) -> bool:
    good = True
    for finding in findings:
        print(
            f"{'ok  ' if finding.good else 'SLOW'}  {finding.name:<72}{finding.found:>18}  {finding.asked}", flush=True
        )
        good = good and finding.good
    return good


def _check_instructions(tolerance: float, *, update: bool) -> bool:
    known: dict[str, dict[str, int]] = json.loads(COUNTS.read_text())
    try:
        counts = counted()
    except NotCounted as error:
        print(f"instructions are not counted: {error}")
        return True
    if update:
        COUNTS.write_text(json.dumps({**known, PYTHON: counts}, indent=1, sort_keys=True) + "\n")
        print(f"{COUNTS.name}: {len(counts)} counts of Python {PYTHON} written")
        return True
    if PYTHON not in known:
        print(f"instructions: {COUNTS.name} has none of Python {PYTHON}: --update writes them")
        return True
    return _shown(instructions(counts, known[PYTHON], tolerance))


def main() -> None:
    """Exit code 1 if something is slower than it may be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.check", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of the ratios; 0: none (default: %(default)s)")
    parser.add_argument(
        "--update", action="store_true", help="write the instructions of this Python anew, nothing else"
    )
    options = parser.parse_args()
    limits: dict[str, Any] = json.loads(LIMITS.read_text())
    good = _check_instructions(limits["instructions"], update=options.update)
    if options.rounds and not options.update:
        good = _shown(ratios(_measured(limits, options.rounds), limits)) and good
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
