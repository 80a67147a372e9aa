"""``python -m benchmarks.report``: docs/benchmarks.md and its plots, of what the last runs wrote to ``build/``."""

import argparse
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median

from benchmarks import aims, grown
from benchmarks.contenders import CONSUME, HAND_OFF, PUBLISH
from benchmarks.grown import Growth
from benchmarks.results import Line, Results
from benchmarks.table import setting_text

PAGE = Path("docs/benchmarks.md")
PLOTS = Path("docs/benchmarks")
_MARKED = re.compile(r"(<!-- benchmarks: [^\n]*-->\n).*?(<!-- /benchmarks -->)", re.DOTALL)
_PARTS = {
    "routes": "Routes (exact keys, templates, rows with wildcards)",
    "size": "Bytes of an event",
    "prefetch": "Prefetch",
    "processes": "Subscriber processes on one queue",
    "backlog": "Events that wait when the subscriber starts",
}


def written(page: str, generated: str) -> str:
    """The page with something else between its markers.

    Raises:
        ValueError: it has no markers.
    """
    if _MARKED.search(page) is None:
        msg = "no markers <!-- benchmarks: ... --> and <!-- /benchmarks -->"
        raise ValueError(msg)
    return _MARKED.sub(lambda match: f"{match[1]}\n{generated.strip()}\n\n{match[2]}", page)


def markdown(results: Results, growth: Growth | None) -> Iterator[str]:
    """The generated part, line by line."""
    yield f"`{results.setting['command']}`: {setting_text(results.setting)}"
    yield "\n### Aims\n\n| aim | measured | |\n|---|--:|---|"
    verdicts = [*aims.judge(results), *(grown.judge(growth) if growth is not None else ())]
    for verdict in verdicts:
        yield f"| {verdict.aim} | {verdict.measured} | {verdict.word} |"
    yield "\n### Publishing and handing off\n\n![Events a second of everybody](benchmarks/rates.svg)"
    for size in dict.fromkeys(line.size for line in results.lines):
        for work in (PUBLISH, HAND_OFF, CONSUME):
            yield from _rates(work, size, list(results.of_work(work, size)))
    yield from _latency(results)
    yield from _micro(results)
    if growth is not None:
        yield from _growth(growth)


def _rates(work: str, size: int, lines: list[Line]) -> Iterator[str]:
    if not lines:
        return
    yield f"\n| {work}, {size:,} bytes | events/s | lowest-highest | ours is | CPU an event | peak RSS |"
    yield "|---|--:|--:|--:|--:|--:|"
    ours = next((line.rate for line in lines if line.ours and line.rates), None)
    for line in lines:
        if not line.rates:
            yield f"| {line.name} | {line.missing} | | | | |"
            continue
        times = "" if ours is None else f"{ours / line.rate:.2f}x"
        name = f"**{line.name}**" if line.ours else line.name
        spread = f"{min(line.rates):,.0f}-{max(line.rates):,.0f}"
        cost = f"{median(line.cpu):,.0f} us | {median(line.rss):,.0f} MB"
        yield f"| {name} | {line.rate:,.0f} | {spread} | {times} | {cost} |"


def _latency(results: Results) -> Iterator[str]:
    if not results.waits:
        return
    yield "\n### Latency\n\n![Latency](benchmarks/latency.svg)"
    yield "\n| | load | events/s | p50 | p99 |\n|---|--:|--:|--:|--:|"
    for waits in results.waits:
        load = "" if waits.load is None else f"{waits.load:.0%}"
        rate = f"{median(waits.rate):,.0f}" if waits.rate else ""
        p50, p99 = (f"{median(values) * 1e3:.2f} ms" for values in (waits.p50, waits.p99))
        yield f"| {waits.work}: {waits.name} | {load} | {rate} | {p50} | {p99} |"


def _micro(results: Results) -> Iterator[str]:
    if not results.micro:
        return
    yield f"\n### Step by step\n\n| microseconds each | {' | '.join(results.micro)} |"
    yield f"|---|{'--:|' * len(results.micro)}"
    for step in next(iter(results.micro.values())):
        yield f"| {step} | {' | '.join(f'{costs[step]:.2f}' for costs in results.micro.values())} |"


def _growth(growth: Growth) -> Iterator[str]:
    yield f"\n### Growth\n\n`{growth.setting['command']}`\n\n![Growth](benchmarks/growth.svg)"
    for part, title in _PARTS.items():
        points = growth.of(part)
        if points:
            yield f"\n| {title} | events/s | lowest-highest | CPU an event | peak RSS |\n|---|--:|--:|--:|--:|"
        for name, point in points.items():
            spread = f"{min(point.rates):,.0f}-{max(point.rates):,.0f}"
            cost = f"{median(point.cpu):,.0f} us | {max(point.rss):,.0f} MB"
            yield f"| {name} | {point.rate:,.0f} | {spread} | {cost} |"


def draw(results: Results, growth: Growth | None, directory: Path) -> Iterable[Path]:
    """Draws the plots; gives their files."""
    from benchmarks import plots  # noqa: PLC0415  # matplotlib comes with an extra

    directory.mkdir(parents=True, exist_ok=True)
    return plots.draw(results, growth, directory)


def main() -> None:
    """Writes the page and the plots."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.report", description=__doc__)
    parser.add_argument("--json", type=Path, default=Path("build/benchmarks.json"), help="default: %(default)s")
    parser.add_argument("--growth", type=Path, default=Path("build/growth.json"), help="default: %(default)s")
    parser.add_argument("--page", type=Path, default=PAGE, help="default: %(default)s")
    parser.add_argument("--plots", type=Path, default=PLOTS, help="default: %(default)s")
    options = parser.parse_args()
    results = Results.read(options.json)
    growth = Growth.read(options.growth) if options.growth.exists() else None
    options.page.write_text(written(options.page.read_text(), "\n".join(markdown(results, growth))))
    print(options.page, *draw(results, growth, options.plots), sep="\n")


if __name__ == "__main__":
    main()
