"""Is a subscriber alive? Judged by what its loop wrote of itself: the health file.

Pure but for ``read_state``, and quick to import: a probe runs every few seconds. What the file says is believed only as
far as it can be read; ``judge`` is total.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from typed_pubsub.handoff.health import State, Whole, file_of

#: Seconds; the loop writes the file each second, so an older one means that it stands still.
MAX_AGE = 10.0
#: Seconds; the loop asks the event broker for an answer every second or two.
MAX_SILENCE = 10.0
#: Seconds that a delivery may be in hand, its tasks not taken.
MAX_WAITING = 60.0

# The file has less than one KB; whatever is larger is not ours.
_MAX_BYTES = 65_536


class NotAState(ValueError):
    """There is no health file, or it is none of ours: the text says what to do."""


@dataclass(frozen=True, slots=True)
class Health:
    """A judgement: ``summary`` is what is known, ``problems`` what is wrong with it, a sentence each.

    Of several processes ``state`` is their supervisor's, and ``processes`` are the judgements of each.
    """

    summary: str
    problems: tuple[str, ...] = ()
    state: State | Whole | None = None
    processes: "tuple[Health, ...]" = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    @property
    def sentence(self) -> str:
        """What is known where nothing is wrong, else all that is wrong."""
        return self.summary if self.ok else "; ".join(self.problems)

    def __str__(self) -> str:
        """One line."""
        return f"{'healthy' if self.ok else 'unhealthy'}: {self.sentence}"


def judge_file(path: Path, now: float) -> Health:
    """What the health file at ``path`` says at ``now``, in seconds since 1970.

    One that a supervisor wrote speaks for the files of all its processes.
    """
    try:
        state = read_state(path)
    except NotAState as problem:
        return Health("", (str(problem),))
    if isinstance(state, State):
        return judge(state, now)
    return judge_whole(state, [judge_file(Path(file_of(path, n + 1)), now) for n in range(state.processes)], now)


def judge(state: State, now: float) -> Health:
    """What a subscriber wrote of itself, judged at ``now``, in seconds since 1970."""
    age = now - state.time
    return Health(_summary(state, max(age, 0.0)), tuple(_problems(state, age)), state)


def judge_whole(state: Whole, processes: Sequence[Health], now: float) -> Health:
    """What a supervisor wrote of itself, and what each of its processes did, judged at ``now``."""
    problems = list(_problems_of_age(now - state.time, "supervisor"))
    for number, one in enumerate(processes, 1):
        problems += [f"process {number}: {problem}" for problem in one.problems]
    summary = "; ".join([f"{number}: {one.summary}" for number, one in enumerate(processes, 1)])
    return Health(f"{state.processes} processes; {summary}", tuple(problems), state, tuple(processes))


def read_state(path: Path) -> State | Whole:
    """Reads a health file.

    Raises:
        NotAState: it is not there, cannot be read, or is none of ours.
    """
    try:
        with path.open("rb") as file:
            written = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        msg = f"there is no health file {str(path)!r}: has the subscriber started, with PUBSUB_HEALTH_FILE set to it?"
        raise NotAState(msg) from None
    except (OSError, ValueError) as error:
        msg = f"the health file {str(path)!r} cannot be read: {error}"
        raise NotAState(msg) from None
    try:
        state = msgspec.json.decode(written, type=dict[str, Any])
        if "processes" in state:
            return msgspec.convert(state, Whole)
        return msgspec.convert(state, State)
    except (ValueError, RecursionError) as error:
        msg = f"{str(path)!r} is no health file of a subscriber: {error}; nobody else may write PUBSUB_HEALTH_FILE"
        raise NotAState(msg) from None


def _problems_of_age(age: float, who: str) -> Iterator[str]:
    if age > MAX_AGE:
        yield f"the health file is {age:.0f} s old (at most {MAX_AGE:g}): the {who} is gone or stands still"
    if age < -MAX_AGE:
        # One that lives writes it again within a second, with the clock as it is now.
        yield f"the health file is from {-age:.0f} s ahead: the clock was set back, and nobody has written it since"


def _problems(state: State, age: float) -> Iterator[str]:
    yield from _problems_of_age(age, "subscriber")
    if not state.consuming:
        yield f"not consuming {state.queue!r}: the event broker or Celery's broker is away"
    if state.last_round_trip is None:
        yield "the event broker has never answered"
    elif (silence := state.last_round_trip + (age if 0 < age <= MAX_AGE else 0.0)) > MAX_SILENCE:
        yield f"the event broker has not answered for {silence:.0f} s (at most {MAX_SILENCE:g})"
    if state.waiting > MAX_WAITING:
        yield f"in hand for {state.waiting:.0f} s: Celery's broker does not take its tasks"


def _summary(state: State, age: float) -> str:
    done = [f"{count} {outcome}" for outcome, count in state.outcomes.items() if count]
    trip = [] if state.last_round_trip is None else [f"last round trip {state.last_round_trip + age:.1f} s ago"]
    return ", ".join(
        [f"{'consuming' if state.consuming else 'queue'} {state.queue!r}", f"{state.in_flight} in flight", *trip, *done]
    )
