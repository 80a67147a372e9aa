"""What the gate of schemas costs: a bound that only a change of its kind of cost would pass."""

import time
from pathlib import Path

import pytest

from benchmarks.contracts import COUNT, committed, event
from typed_pubsub.schema.gate import check

pytestmark = pytest.mark.once


@pytest.mark.alone
def test_500_event_types_that_all_changed_are_checked_in_seconds(tmp_path: Path) -> None:
    """Of processor time, which other tests do not take part in; ``make bench-contracts`` tells the time."""
    files = committed(tmp_path, [event(number) for number in range(COUNT)])
    changed = [event(number, extra=int | None) for number in range(COUNT)]
    begun = time.process_time()
    found = check(changed, files)
    assert time.process_time() - begun < 8
    assert [one.kind for one in found] == ["changed"] * COUNT
