"""The parts of a run: every round goes once through all contenders, so that a noisy neighbour hits everybody."""

import itertools
import sys
from collections.abc import Iterator, Sequence

from benchmarks.child import ChildError
from benchmarks.contenders import Contender, why_not
from benchmarks.measure import Sample, World, WrongAnswer, measure
from benchmarks.results import Line

#: Larger events get fewer rounds' worth of them: about the same seconds each.
_SHARE_OF_SIZE = {220: 1.0, 1_500: 0.5, 20_000: 0.15}
_LEAST = 200


def rates(
    where: World, contenders: Sequence[Contender], events: int, rounds: int, sizes: Sequence[int]
) -> Iterator[Line]:
    """The lines of some contenders, at each size of event."""
    absent = {one: why_not(one) for one in contenders}
    for size in sizes:
        lines = {one: Line(one.work, one.name, size, one.ours, missing=absent[one]) for one in contenders}
        for number, (one, line) in itertools.product(range(rounds), lines.items()):
            if line.missing is None:
                tell(f"{one.work}, {size} bytes, round {number + 1} of {rounds}: {one.name}")
                count = max(int(events * _SHARE_OF_SIZE.get(size, 1.0) / one.share), _LEAST)
                _round(where, one, line, count)
        yield from lines.values()


def _round(where: World, one: Contender, line: Line, count: int) -> None:
    """One round; a peer that does not even run here is left out, and said so."""
    try:
        add(line, sampled(where, one, count, line.size))
    except ChildError as error:
        if one.ours:
            raise
        line.missing = f"does not run here: {str(error).strip().splitlines()[-1]}"
        print(f"\n{one.name} {line.missing}", file=sys.stderr)


def add(line: Line, sample: Sample) -> None:
    """One round more."""
    line.rates.append(sample.rate)
    line.cpu.append(sample.cpu)
    line.rss.append(sample.rss)


def sampled(where: World, one: Contender, count: int, size: int) -> Sample:
    """A round, again if its answer was wrong; twice wrong is an error."""
    try:
        return measure(where, one, count, size)
    except WrongAnswer as error:
        print(f"\n{one.name}: {error}; once more", file=sys.stderr)
        return measure(where, one, count, size)


def tell(what: str) -> None:
    """Says on a terminal how far it is."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="", file=sys.stderr, flush=True)
