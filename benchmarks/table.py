"""The results on a terminal."""

import textwrap
from collections.abc import Iterable
from statistics import median
from typing import Any

from benchmarks.aims import Verdict
from benchmarks.contenders import CONSUME, HAND_OFF, PUBLISH
from benchmarks.results import Line, Results


def setting_text(setting: dict[str, Any]) -> str:
    """Machine and versions in a sentence."""
    versions = ", ".join(f"{name} {number}" for name, number in setting["versions"].items())
    return (
        f"{setting['cores']} cores of {setting['cpu']}, {setting['system']}; {versions}. Persistent messages, durable "
        f"classic queues; medians of {setting['rounds']} interleaved rounds."
    )


def show(results: Results, verdicts: Iterable[Verdict]) -> None:
    """Prints all of it."""
    print(textwrap.fill(setting_text(results.setting), 100))
    for size in dict.fromkeys(line.size for line in results.lines):
        for work in (PUBLISH, HAND_OFF, CONSUME):
            show_lines(work, size, list(results.of_work(work, size)))
    if results.waits:
        print(f"\n{'latency, ms':<46}{'load':>6}{'events/s':>10}{'p50':>9}{'p99':>9}")
    for waits in results.waits:
        load = "" if waits.load is None else f"{waits.load:.0%}"
        rate = f"{median(waits.rate):,.0f}" if waits.rate else ""
        p50, p99 = (median(values) * 1e3 for values in (waits.p50, waits.p99))
        print(f"{f'{waits.work}: {waits.name}':<46}{load:>6}{rate:>10}{p50:>9.2f}{p99:>9.2f}")
    if results.micro:
        kinds = list(results.micro)
        print(f"\n{'microseconds each':<30}" + "".join(f"{kind:>14}" for kind in kinds))
        for path in results.micro[kinds[0]]:
            print(f"{path:<30}" + "".join(f"{results.micro[kind][path]:>14.2f}" for kind in kinds))
    print("\naims")
    for verdict in verdicts:
        print(f"  {verdict.aim:<84}{verdict.measured:>9}  {verdict.word.strip('*')}")


def show_lines(work: str, size: int, lines: list[Line]) -> None:
    """Prints one table; ``ours`` is how many times the first line's rate is the other's."""
    if not lines:
        return
    print(f"\n{f'{work}, {size:,} bytes':<32}{'events/s':>9}{'lowest-highest':>16}{'ours is':>9}{'us CPU':>8}{'MB':>5}")
    ours = next((line.rate for line in lines if line.ours and line.rates), None)
    for line in lines:
        if not line.rates:
            print(f"{line.name:<32}  {line.missing}")
            continue
        spread = f"{min(line.rates):,.0f}-{max(line.rates):,.0f}"
        times = "" if ours is None else f"{ours / line.rate:.2f}x"
        rest = f"{median(line.cpu):>8,.0f}{median(line.rss):>5,.0f}"
        print(f"{line.name:<32}{line.rate:>9,.0f}{spread:>16}{times:>9}{rest}")
