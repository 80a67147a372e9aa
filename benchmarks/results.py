"""What a run measured, as values that go to JSON and come back."""

import json
import math
import os
import platform
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

_VERSIONS = ("kombu", "celery", "amqp", "pydantic", "msgspec", "pika", "faststream", "aio-pika", "nameko")


@dataclass
class Line:
    """One line of the table: the rounds of one contender at one size of event.

    ``rates`` are events a second, ``cpu`` microseconds an event, ``rss`` MB; ``missing`` says why there are none.
    """

    work: str
    name: str
    size: int
    ours: bool = False
    rates: list[float] = field(default_factory=list[float])
    cpu: list[float] = field(default_factory=list[float])
    rss: list[float] = field(default_factory=list[float])
    missing: str | None = None

    @property
    def rate(self) -> float:
        """Events a second, the median of the rounds."""
        return median(self.rates)


@dataclass
class Waits:
    """Seconds that something took, at the percentiles, each a list of one value a round.

    ``load`` is the share of the peak rate that was aimed at, ``rate`` the events a second that were reached.
    """

    work: str
    name: str
    ours: bool = True
    load: float | None = None
    p50: list[float] = field(default_factory=list[float])
    p99: list[float] = field(default_factory=list[float])
    rate: list[float] = field(default_factory=list[float])

    def add(self, took: Iterable[float], rate: float | None = None) -> None:
        """One round."""
        sorted_ = sorted(took)
        self.p50.append(percentile(sorted_, 0.50))
        self.p99.append(percentile(sorted_, 0.99))
        if rate is not None:
            self.rate.append(rate)


def percentile(sorted_: list[float], share: float) -> float:
    """The smallest value that so large a share of all is not above."""
    return sorted_[max(math.ceil(share * len(sorted_)) - 1, 0)]


@dataclass
class Results:
    """A whole run."""

    setting: dict[str, Any] = field(default_factory=dict[str, Any])
    lines: list[Line] = field(default_factory=list[Line])
    waits: list[Waits] = field(default_factory=list[Waits])
    micro: dict[str, dict[str, float]] = field(default_factory=dict[str, dict[str, float]])

    def line(self, work: str, name: str, size: int) -> Line | None:
        """A line that was measured, or None."""
        for line in self.lines:
            if (line.work, line.name, line.size) == (work, name, size) and line.rates:
                return line
        return None

    def of_work(self, work: str, size: int) -> Iterator[Line]:
        """The lines of one kind of work, ours first."""
        return (line for line in self.lines if (line.work, line.size) == (work, size))

    def wait(self, work: str, name: str, load: float | None = None) -> Waits | None:
        """Waits that were measured, or None."""
        for waits in self.waits:
            if (waits.work, waits.name, waits.load) == (work, name, load) and waits.p99:
                return waits
        return None

    def write(self, path: Path) -> None:
        """To a file, as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Results":
        """From a file that ``write`` wrote."""
        read = json.loads(path.read_text())
        return cls(
            read["setting"],
            [Line(**line) for line in read["lines"]],
            [Waits(**waits) for waits in read["waits"]],
            read["micro"],
        )


def setting(rabbitmq: str, rounds: int) -> dict[str, Any]:
    """Machine, versions and command of this run."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "rounds": rounds,
        "command": _command(),
        "versions": {"Python": platform.python_version(), "RabbitMQ": rabbitmq, **_versions()},
    }


def _command() -> str:
    spec = sys.modules["__main__"].__spec__
    name = "benchmarks" if spec is None else spec.name.removesuffix(".__main__")
    return " ".join(["python -m", name, *sys.argv[1:]])


def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _VERSIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
