"""The plots of docs/benchmarks.md, as SVG: ours in colour, the others in grey."""

from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot as plt  # after the backend is chosen

from benchmarks.aims import LATENCY
from benchmarks.contenders import HAND_OFF, PUBLISH, REQUEST
from benchmarks.events import BODY_BYTES
from benchmarks.grown import Growth
from benchmarks.peers.routes import SHAPES
from benchmarks.results import Line, Results

OURS, OTHERS, MORE = "#2a6f97", "#b8bfc6", "#89c2d9"
_STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "font.size": 9,
    "svg.hashsalt": "typed-pubsub",    # the same run gives the same file
}  # fmt: skip


def draw(results: Results, growth: Growth | None, directory: Path) -> Iterator[Path]:
    """The files, as they are drawn."""
    plt.rcParams.update(_STYLE)
    if any(line.rates for line in results.lines):
        yield _saved(_rates(results), directory / "rates.svg")
    if results.waits:
        yield _saved(_latency(results), directory / "latency.svg")
    if growth is not None and growth.points:
        yield _saved(_growth(growth), directory / "growth.svg")


def _saved(figure: Any, path: Path) -> Path:
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
    return path


def _rates(results: Results) -> Any:
    """Two panels of bars, with what the lowest and the highest round had."""
    works = {work: [line for line in results.of_work(work, BODY_BYTES) if line.rates] for work in (PUBLISH, HAND_OFF)}
    works = {work: lines for work, lines in works.items() if lines}
    heights = [len(lines) for lines in works.values()]
    figure, axes = plt.subplots(
        len(works),
        1,
        figsize=(8, 0.9 + 0.34 * sum(heights)),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axis, (work, lines) in zip(axes[:, 0], works.items(), strict=True):
        _bars(axis, sorted(lines, key=lambda line: line.rate))
        axis.set_title(f"{work}: events a second, {BODY_BYTES} bytes")
    return figure


def _bars(axis: Any, lines: list[Line]) -> None:
    values = [line.rate for line in lines]
    spread = [[line.rate - min(line.rates) for line in lines], [max(line.rates) - line.rate for line in lines]]
    colours = [OURS if line.ours else OTHERS for line in lines]
    axis.barh([line.name for line in lines], values, color=colours, xerr=spread, error_kw={"ecolor": "#555", "lw": 0.8})
    most = max(max(line.rates) for line in lines)
    for index, line in enumerate(lines):
        axis.text(max(line.rates) + most * 0.01, index, f"{line.rate:,.0f}", va="center")
    axis.set_xlim(0, most * 1.12)
    axis.xaxis.set_major_formatter("{x:,.0f}")
    axis.tick_params(axis="y", length=0)


def _latency(results: Results) -> Any:
    """p50 and p99 of one publication, and of the way to the task at each load."""
    groups = [
        ("one confirmed publish, ms", {w.name: w for w in results.waits if w.work == REQUEST}),
        ("publish() to the task's arrival, ms", {f"{w.load:.0%} load": w for w in results.waits if w.work == LATENCY}),
    ]
    groups = [(title, waits) for title, waits in groups if waits]
    figure, axes = plt.subplots(1, len(groups), figsize=(9, 2.8), squeeze=False, layout="constrained")
    for axis, (title, waits) in zip(axes[0], groups, strict=True):
        for offset, share, colour in ((-0.18, "p50", OURS), (0.18, "p99", MORE)):
            values = [median(getattr(one, share)) * 1e3 for one in waits.values()]
            bars = axis.bar([place + offset for place in range(len(waits))], values, 0.34, color=colour, label=share)
            axis.bar_label(bars, fmt="%.1f", padding=1, fontsize=8)
        axis.set_xticks(range(len(waits)), [name.replace(", ", ",\n") for name in waits])
        axis.set_title(title)
        axis.legend(frameon=False)
    # From a millisecond to seconds.
    axes[0][-1].set_yscale("log")
    return figure


def _growth(growth: Growth) -> Any:
    """CPU an event over the number of routes; events a second over the processes; memory over the backlog."""
    figure, (routes, processes, memory) = plt.subplots(1, 3, figsize=(10, 2.9), layout="constrained")
    points = growth.of("routes")
    for shape, colour in zip(SHAPES, (OURS, MORE, "#555"), strict=True):
        named = {name.partition(", ")[2]: point for name, point in points.items() if name.startswith(shape)}
        cost = [median(point.cpu) for point in named.values()]
        routes.plot([int(n.replace(",", "")) for n in named], cost, "o-", color=colour, label=shape, markersize=4)
    routes.set(xscale="log", ylim=(0, None), title="CPU an event, us, by number of routes")
    routes.set_xticks([1, 100, 10_000], ["1", "100", "10,000"])
    routes.legend(frameon=False)
    several = growth.of("processes")
    bars = processes.bar(list(several), [point.rate for point in several.values()], 0.6, color=OURS)
    processes.bar_label(bars, fmt="{:,.0f}", padding=1)
    processes.yaxis.set_major_formatter("{x:,.0f}")
    processes.set(title="events a second, by processes")
    waiting = growth.of("backlog")
    bars = memory.bar(list(waiting), [max(point.rss) for point in waiting.values()], 0.6, color=OURS)
    memory.bar_label(bars, fmt="%.0f", padding=1)
    memory.set(title="peak RSS, MB, by events that wait")
    return figure
