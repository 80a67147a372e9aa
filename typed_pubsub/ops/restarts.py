"""What a supervisor does about a process that has ended. Pure."""

from dataclasses import dataclass
from typing import TypeAlias

from typed_pubsub.errors import ConnectFailed, MisconfigurationException, TopologyRefused

#: Seconds before the first restart; each further one doubles them.
FIRST_PAUSE = 0.5
#: Seconds at most.
LONGEST_PAUSE = 30.0
#: Seconds of life after which what went wrong before is forgotten.
LONG_LIFE = 60.0

_UNMENDABLE = frozenset({MisconfigurationException.exit_code, TopologyRefused.exit_code})


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended that nobody had asked to.

    Attributes:
        code: its exit code; of a process that a signal killed the signal's number, negative.
        lived: seconds.
        is_first: nobody had run in its place before.
        has_read_settings: it got so far.
        failures: processes before it, in the same place, that ended early, one after the other.
    """

    code: int
    lived: float
    is_first: bool
    has_read_settings: bool
    failures: int


@dataclass(frozen=True, slots=True)
class Again:
    """It is started again after ``pause`` seconds; ``failures`` with this one."""

    pause: float
    failures: int


@dataclass(frozen=True, slots=True)
class AfterChange:
    """It is started again when the code has changed: that is what it needs."""


@dataclass(frozen=True, slots=True)
class GiveUp:
    """No restart mends that: the whole ends with ``code``."""

    code: int


Verdict: TypeAlias = Again | AfterChange | GiveUp


def judge(ended: Ended, *, reload: bool) -> Verdict:
    """What to do about it; with ``reload`` somebody is at work on the code."""
    unmendable = ended.code in _UNMENDABLE
    if reload and (unmendable or not ended.has_read_settings):
        return AfterChange()
    if unmendable or (ended.is_first and ended.code == ConnectFailed.exit_code):
        return GiveUp(ended.code)
    failures = 1 if ended.lived >= LONG_LIFE else ended.failures + 1
    return Again(min(FIRST_PAUSE * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE), failures)


def exit_code(codes: list[int]) -> int:
    """Of the whole, when all were asked to end: 0 if all ended so, else the first that is not; 128 + n for a signal."""
    code = next((code for code in codes if code), 0)
    return 128 - code if code < 0 else code
