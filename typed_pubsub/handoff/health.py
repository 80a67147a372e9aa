"""The health file: what the loop knows of itself, written by the loop itself, so that it tells when that hangs."""

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec

#: Of one supervisor.
MOST_PROCESSES = 1_000

_WRITE_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class State:
    """What the subscriber's loop writes of itself. Seconds; ``time`` since 1970.

    Attributes:
        time: when it was written.
        pid: of the subscriber's process.
        queue: that it consumes.
        consuming: whether there is a consumer at the event broker.
        in_flight: deliveries in hand.
        waiting: since the first attempt to hand off the oldest delivery that is not settled yet; 0 when there is none.
        last_round_trip: since the event broker last answered; None: never.
        last_confirm: since Celery's broker, or the dead-letter queue, last confirmed something; None: never.
        outcomes: how many deliveries ended how, and faults, since the start.
        dead_letters: written since the start.
    """

    time: float
    pid: int
    queue: str
    consuming: bool
    in_flight: int
    waiting: float
    last_round_trip: float | None
    last_confirm: float | None
    outcomes: Mapping[str, int]
    dead_letters: int


@dataclass(frozen=True, slots=True)
class Whole:
    """What a supervisor writes of itself: each of its processes has a file beside, ``path.1`` and so on."""

    time: float
    pid: int
    processes: Annotated[int, msgspec.Meta(ge=1, le=MOST_PROCESSES)]


def file_of(path: str | Path, number: int) -> str:
    """The health file of one of several processes, where ``path`` is the one of the whole."""
    return f"{path}.{number}"


class HealthFile:
    """A file with the latest state as JSON, replaced as a whole: a reader never sees half of one."""

    def __init__(self, path: str) -> None:
        """Nothing is written yet."""
        self.path = Path(path)
        self._written = 0.0

    @property
    def is_due(self) -> bool:
        """Whether the last writing is a second ago."""
        return time.monotonic() - self._written >= _WRITE_EVERY

    def write(self, state: State | Whole) -> None:
        """Replaces the file. Raises OSError."""
        self._written = time.monotonic()
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            beside.write_bytes(msgspec.json.encode(state))
            beside.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
