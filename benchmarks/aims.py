"""What is aimed at, as ratios of one run, and whether it was met."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from benchmarks.contenders import C_CLIENT, HAND_OFF, PUBLISH, REQUEST
from benchmarks.events import BODY_BYTES
from benchmarks.results import Results

OURS_PUBLISH, OURS_HAND_OFF = "publish_many, Event", "Subscriber, Event"
STRUCT_PUBLISH, STRUCT_HAND_OFF = "publish_many, StructEvent", "Subscriber, StructEvent"
HAND_WRITTEN, HAND_WRITTEN_CONFIRMED = "hand-written, unconfirmed", "hand-written, confirm_publish"
LATENCY = "publish() to task"

#: Work, ours, the peer's, at least so many times its rate.
_RATES = (
    (PUBLISH, OURS_PUBLISH, "kombu, confirm_publish", 9.0),
    (PUBLISH, OURS_PUBLISH, "FastStream, gathered by 256", 2.0),
    (PUBLISH, OURS_PUBLISH, "kombu, unconfirmed", 1.0),
    (PUBLISH, OURS_PUBLISH, C_CLIENT, 0.65),
    # What of it is the wire format's: the same message, written by others.
    (PUBLISH, OURS_PUBLISH, "kombu, unconfirmed, our headers", 1.0),
    (PUBLISH, OURS_PUBLISH, f"{C_CLIENT}, our headers", 0.65),
    (PUBLISH, "publish, Event", "kombu, confirm_publish", 1.0),
    (HAND_OFF, OURS_HAND_OFF, HAND_WRITTEN_CONFIRMED, 7.0),
    (HAND_OFF, OURS_HAND_OFF, HAND_WRITTEN, 2.5),
    (HAND_OFF, OURS_HAND_OFF, "FastStream + apply_async", 3.5),
    (HAND_OFF, OURS_HAND_OFF, C_CLIENT, 0.4),
    (HAND_OFF, OURS_HAND_OFF, "py-amqp, nothing decoded", 0.7),
    (PUBLISH, STRUCT_PUBLISH, OURS_PUBLISH, 1.0),
    (HAND_OFF, STRUCT_HAND_OFF, OURS_HAND_OFF, 1.0),
)
_CPU = 0.33
_P99_AT_HALF_LOAD = 0.050


@dataclass(frozen=True, slots=True)
class Verdict:
    """An aim, what was measured of it, and whether that is enough; ``note``: why it says nothing, if so."""

    aim: str
    measured: str
    met: bool | None
    note: str = ""

    @property
    def word(self) -> str:
        """Met, missed, or the note."""
        return self.note if self.met is None else "met" if self.met else "**missed**"


def judge(results: Results) -> Iterator[Verdict]:
    """Every aim that this run says something of."""
    yield from _rates(results)
    ours, other = (results.line(HAND_OFF, name, BODY_BYTES) for name in (OURS_HAND_OFF, HAND_WRITTEN))
    if ours is not None and other is not None:
        ratio = median(ours.cpu) / median(other.cpu)
        yield Verdict(f"hand-off, CPU an event: <= {_CPU}x {HAND_WRITTEN}", f"{ratio:.2f}x", ratio <= _CPU)
    ours_wait, others_wait = (results.wait(REQUEST, name) for name in ("publish, Event", "kombu, confirm_publish"))
    if ours_wait is not None and others_wait is not None:
        ratio = median(others_wait.p50) / median(ours_wait.p50)
        yield Verdict("one confirmed publish(), p50: >= 1x kombu, confirm_publish", f"{ratio:.2f}x", ratio >= 1)
    half = results.wait(LATENCY, OURS_HAND_OFF, 0.5)
    if half is not None:
        p99 = median(half.p99)
        aim = f"p99 from publish() to the task at half load: < {_P99_AT_HALF_LOAD * 1e3:.0f} ms"
        yield Verdict(aim, f"{p99 * 1e3:.1f} ms", p99 < _P99_AT_HALF_LOAD)


def _rates(results: Results) -> Iterator[Verdict]:
    for work, ours, other, wanted in _RATES:
        lines = results.line(work, ours, BODY_BYTES), results.line(work, other, BODY_BYTES)
        if lines[0] is not None and lines[1] is not None:
            ratio = lines[0].rate / lines[1].rate
            yield Verdict(f"{work}: {ours} >= {wanted:g}x {other}", f"{ratio:.2f}x", ratio >= wanted)
