"""What ``benchmarks.growth`` measured, as values that go to JSON and come back, and what it says of the aims."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.aims import Verdict
from benchmarks.measure import Sample

_ROUTES, _MEMORY, _PROCESSES = 1.1, 1.10, 1.6


@dataclass
class Point:
    """One case of a part; ``busy``: how many cores subscribers and broker kept busy."""

    part: str
    name: str
    rates: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    rss: list[float] = field(default_factory=list[float])
    busy: list[float] = field(default_factory=list[float])

    def add(self, sample: Sample) -> None:
        """One round."""
        self.rates.append(sample.rate)
        self.cpu.append(sample.cpu)
        self.rss.append(sample.rss)

    @property
    def rate(self) -> float:
        """Events a second, the median of the rounds."""
        return median(self.rates)


@dataclass
class Growth:
    """A whole run."""

    setting: dict[str, Any] = field(default_factory=dict[str, Any])
    points: list[Point] = field(default_factory=list[Point])

    def of(self, part: str) -> dict[str, Point]:
        """The points of a part by name, in order."""
        return {point.name: point for point in self.points if point.part == part}

    def write(self, path: Path) -> None:
        """To a file, as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Growth":
        """From a file that ``write`` wrote."""
        read = json.loads(path.read_text())
        return cls(read["setting"], [Point(**point) for point in read["points"]])


def judge(growth: Growth) -> Iterator[Verdict]:
    """The aims that this run says something of."""
    routes = growth.of("routes")
    for shape in ("exact", "template", "wildcard"):
        one, most = routes.get(f"{shape}, 1"), routes.get(f"{shape}, 10,000")
        if one is not None and most is not None:
            ratio = median(most.cpu) / median(one.cpu)
            yield Verdict(
                f"10,000 routes ({shape}): CPU an event <= {_ROUTES}x that of one", f"{ratio:.2f}x", ratio <= _ROUTES
            )
    backlog = list(growth.of("backlog").values())
    if len(backlog) > 1:
        ratio = max(backlog[-1].rss) / max(backlog[0].rss)
        aim = f"backlog of {backlog[-1].name}: peak memory <= {_MEMORY}x that of {backlog[0].name}"
        yield Verdict(aim, f"{ratio:.2f}x", ratio <= _MEMORY)
    processes = growth.of("processes")
    if "1" in processes and "2" in processes:
        ratio = processes["2"].rate / processes["1"].rate
        busy, cores = median(processes["1"].busy), int(growth.setting["cores"])
        spare = busy * _PROCESSES <= cores
        note = "" if spare else f"no core to spare: one process and its broker use {busy:.1f} of {cores}"
        yield Verdict(
            f"two processes: >= {_PROCESSES}x one", f"{ratio:.2f}x", ratio >= _PROCESSES if spare else None, note
        )


def show(growth: Growth) -> None:
    """Prints the tables."""
    for part in dict.fromkeys(point.part for point in growth.points):
        print(f"\n{part:<22}{'events/s':>9}{'lowest-highest':>16}{'us CPU':>8}{'MB':>6}")
        for name, point in growth.of(part).items():
            spread = f"{min(point.rates):,.0f}-{max(point.rates):,.0f}"
            print(f"{name:<22}{point.rate:>9,.0f}{spread:>16}{median(point.cpu):>8,.0f}{max(point.rss):>6,.0f}")
    print("\naims")
    for verdict in judge(growth):
        print(f"  {verdict.aim:<74}{verdict.measured:>8}  {verdict.word.strip('*')}")
