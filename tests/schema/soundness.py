"""The verdicts on random pairs of models, counted: ``python -m tests.schema.soundness --pairs 5000``.

Each pair is an event before and after one or two small changes, judged in both directions. A verdict "compatible" is
tried with events of the writer's, those near the reader's bounds first; one that the reader refuses is unsound. Of the
others it is counted how many have an event that shows the break.
"""

import argparse
import sys
import time
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from tests.schema.random_models import instances, pairs
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.keyed import write_event
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import schema_of
from typed_pubsub.schema.bodies import sent_by
from typed_pubsub.schema.closed import written
from typed_pubsub.schema.compatibility import problems

EVENTS = 3
BODIES = 6


def run(count: int, number: int) -> Counter[str]:
    """How the verdicts on so many pairs did; prints what is unsound."""
    counts: Counter[str] = Counter()

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )
    @given(pairs(), st.data())
    def judge(pair: tuple[Any, Any], data: st.DataObject) -> None:
        for writer, reader in (pair, pair[::-1]):
            _judge(writer, reader, data, counts)
        # What Hypothesis gave up half-way is none.
        counts["pairs"] += 1

    judge()
    return counts


def _judge(writer: Any, reader: Any, data: st.DataObject, counts: Counter[str]) -> None:
    writes, reads = written(schema_of(writer)), schema_of(reader)
    found = problems(writes, reads)
    bodies = [write_event(data.draw(instances(writer)))[1] for _ in range(EVENTS)]
    sent = sent_by(writes, meta_of(writer).key, beside=reads)
    bodies += [data.draw(sent).body for _ in range(BODIES)]
    refused = [body for body in bodies if not _reads(reader, body)]
    counts["compatible" if not found else "incompatible"] += 1
    counts["bodies"] += len(bodies)
    if found and refused:
        counts["shown"] += 1
    if refused and not found:
        counts["unsound"] += 1
        print("unsound:", writes, reads, refused[0], sep="\n  ")  # noqa: T201


def _reads(reader: Any, body: bytes) -> bool:
    try:
        meta_of(reader).codec.read(body)
    except (BodyError, OverflowError):
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begun = time.monotonic()
    counts = run(options.pairs, options.seed)
    told = ", ".join(f"{counts[name]} {name}" for name in ("pairs", "compatible", "incompatible", "shown", "bodies"))
    took = time.monotonic() - begun
    print(f"seed {options.seed}: {told}, {counts['unsound']} unsound, {took:.0f} s")  # noqa: T201
    return 1 if counts["unsound"] else 0


if __name__ == "__main__":
    sys.exit(main())
