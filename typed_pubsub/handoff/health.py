"""The health file: what the loop knows of itself, written by the loop itself, so that it tells when that hangs."""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

_WRITE_EVERY = 1.0


@dataclass(frozen=True, slots=True)
class Signs:
    """Signs of life, in seconds ago unless said otherwise.

    Attributes:
        consuming: whether there is a consumer at the event broker.
        in_flight: deliveries in hand.
        waiting: since the first attempt to hand off the oldest delivery that is not settled; 0 when there is none.
        last_round_trip: the event broker's last answer or delivery; None: never.
        last_confirm: the last confirm of Celery's broker or the dead-letter queue; None: never.
    """

    consuming: bool
    in_flight: int
    waiting: float
    last_round_trip: float | None
    last_confirm: float | None


class HealthFile:
    """A file with the latest signs as JSON, replaced as a whole: a reader never sees half of one."""

    def __init__(self, path: str, queue: str) -> None:
        """Nothing is written yet."""
        self.path = Path(path)
        self._queue = queue
        self._written = 0.0

    @property
    def is_due(self) -> bool:
        """Whether the last writing is a second ago."""
        return time.monotonic() - self._written >= _WRITE_EVERY

    def write(self, signs: Signs, outcomes: Mapping[str, int]) -> None:
        """Replaces the file. Raises OSError."""
        self._written = time.monotonic()
        state = {
            "time": time.time(),
            "pid": os.getpid(),
            "queue": self._queue,
            **{name: round(value, 3) if isinstance(value, float) else value for name, value in asdict(signs).items()},
            "outcomes": dict(outcomes),
            "dead_letters": outcomes.get("dead-lettered", 0),
        }
        beside = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        try:
            beside.write_text(json.dumps(state))
            beside.replace(self.path)
        except OSError:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
