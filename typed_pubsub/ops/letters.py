"""Dead letters looked at: listed, counted, found, tried. None leaves its queue."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC

from typed_pubsub.brokers.letter_box import opened
from typed_pubsub.brokers.letters import Letter, as_replayed
from typed_pubsub.brokers.queues import count_queue
from typed_pubsub.brokers.topology import dead_letter_queue
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.events.keys import BindingTrie
from typed_pubsub.ops.connect import connected
from typed_pubsub.ops.dry_run import MISFIT, DryRun, Vain
from typed_pubsub.routing.decisions import DeadLetter, Decision, Schedule, Skip

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which dead letters are meant: those of one of the reasons, keys and ids (none given: of any), and of the ages.

    ``keys`` are binding keys, ages seconds before ``now``: a letter that does not say when it was dead-lettered has
    none, and is not meant where one is asked for. ``limit``: at most so many.
    """

    reasons: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    older_than: float | None = None
    newer_than: float | None = None
    limit: int | None = None
    now: float = field(default_factory=time.time)

    @property
    def is_all(self) -> bool:
        """Whether every dead letter is meant."""
        return not (self.reasons or self.keys or self.ids) and self.older_than is self.newer_than is self.limit is None

    def meant(self, letters: Iterable[Letter]) -> Iterator[tuple[int, Letter]]:
        """Those that are meant, with their positions, from 1; all letters are gone through."""
        trie: BindingTrie[bool] = BindingTrie()
        for key in self.keys:
            trie.add(key, True)  # noqa: FBT003  # only whether it is found
        found = 0
        for position, letter in enumerate(letters, start=1):
            if self._takes(letter, trie) and (self.limit is None or found < self.limit):
                found += 1
                yield position, letter

    def _takes(self, letter: Letter, keys: BindingTrie[bool]) -> bool:
        if self.reasons and letter.reason not in self.reasons:
            return False
        if self.ids and letter.event_id not in self.ids:
            return False
        if self.keys and not keys.find(letter.routing_key):
            return False
        age = age_of(letter, self.now)
        if self.older_than is not None and (age is None or age < self.older_than):
            return False
        return self.newer_than is None or (age is not None and age <= self.newer_than)


@dataclass(frozen=True, slots=True)
class Line:
    """One dead letter in a list; ``age`` in seconds, None where nobody says when it was dead-lettered."""

    position: int
    age: float | None
    time: str | None
    reason: str
    routing_key: str
    event_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What a dead-letter queue holds: how many letters, how many of them are meant, and the first of those.

    ``missing``: so many more were there, in the hands of another consumer. ``others``: so many consumers read the queue
    as well, and may hold letters that are not counted.
    """

    queue: str
    count: int
    meant: int
    letters: tuple[Line, ...]
    missing: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class Group:
    """Dead letters of one reason and key: how many, and the ages of oldest and newest in seconds."""

    reason: str
    routing_key: str
    count: int
    oldest: float | None
    newest: float | None


@dataclass(frozen=True, slots=True)
class Stats:
    """What a dead-letter queue holds, by reason and key, the largest groups first."""

    queue: str
    count: int
    meant: int
    groups: tuple[Group, ...]
    missing: int = 0
    others: int = 0


@dataclass(frozen=True, slots=True)
class Failing:
    """Dead letters that would not pass: how many, for which reason and detail, and the first one's event id.

    They would be dead again, or for the reason ``MISFIT`` be scheduled in vain.
    """

    reason: str
    detail: str
    count: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Tried:
    """What would become of dead letters if they were replayed now; ``seen``: how many were looked at, meant or not."""

    queue: str
    tried: int
    scheduled: int
    skipped: int
    failing: tuple[Failing, ...]
    missing: int = 0
    seen: int = 0


def queue_of(config: PubSubConfig) -> str:
    """The event queue of a service. Raises MisconfigurationException: there is none."""
    if not config.queue_name:
        raise MisconfigurationException("dead letters are those of a queue: set QUEUE_NAME")
    return config.queue_name


def list_letters(config: PubSubConfig, wanted: Wanted, *, most: int, anyway: bool = False) -> Listing | None:
    """The dead letters that are meant, the first ``most`` of them; None: there is no queue."""
    queue = queue_of(config)
    with connected(config.broker_url) as link, opened(link, queue, anyway=anyway) as box:
        if box is None:
            return None
        kept: list[Line] = []
        meant = 0
        for position, letter in wanted.meant(box):
            meant += 1
            if meant <= most:
                kept.append(_line(position, letter, wanted.now))
        return Listing(queue, box.seen, meant, tuple(kept), box.missing, box.others)


def count_meant(config: PubSubConfig, wanted: Wanted, *, anyway: bool = False) -> int | None:
    """How many dead letters are meant; None: there is no queue. Where all are, the broker says so unread."""
    if wanted.is_all:
        with connected(config.broker_url) as link:
            counted = count_queue(link, dead_letter_queue(queue_of(config)))
            return None if counted is None else counted[0]
    found = list_letters(config, wanted, most=0, anyway=anyway)
    return None if found is None else found.meant


def count_letters(config: PubSubConfig, wanted: Wanted, *, anyway: bool = False) -> Stats | None:
    """The dead letters that are meant, by reason and key; None: there is no queue."""
    queue = queue_of(config)
    with connected(config.broker_url) as link, opened(link, queue, anyway=anyway) as box:
        if box is None:
            return None
        counts: Counter[tuple[str, str]] = Counter()
        ages: dict[tuple[str, str], tuple[float, float]] = {}
        for _, letter in wanted.meant(box):
            group = (letter.reason, letter.routing_key)
            counts[group] += 1
            if (age := age_of(letter, wanted.now)) is not None:
                oldest, newest = ages.get(group, (age, age))
                ages[group] = max(oldest, age), min(newest, age)
        groups = (Group(*group, count, *ages.get(group, (None, None))) for group, count in counts.most_common())
        return Stats(queue, box.seen, counts.total(), tuple(groups), box.missing, box.others)


def find_letter(config: PubSubConfig, which: str, *, anyway: bool = False) -> tuple[int, Letter] | None:
    """The dead letter at a position (from 1), or the first of an event id, with its position; None: there is none."""
    queue = queue_of(config)
    position = int(which) if which.isascii() and which.isdigit() else None
    found: tuple[int, Letter] | None = None
    with connected(config.broker_url) as link, opened(link, queue, anyway=anyway) as box:
        # To the end, whatever is found: a quorum queue keeps the order only of what is given back together.
        for number, letter in enumerate(box or (), start=1):
            if found is None and (number == position or (letter.event_id == which and which)):
                found = number, letter
    return found


def try_letters(
    config: PubSubConfig, wanted: Wanted, dry_run: DryRun, *, advance: Advance = lambda _: None, anyway: bool = False
) -> Tried | None:
    """What the code at hand would make of the dead letters that are meant; None: there is no queue."""
    queue = queue_of(config)
    with connected(config.broker_url) as link, opened(link, queue, anyway=anyway) as box:
        if box is None:
            return None
        tally = Tally(queue)
        for _, letter in wanted.meant(box):
            tally.add(letter, dry_run.decide(as_replayed(letter, queue)))
            advance(1)
        return tally.result(box.missing, box.seen)


class Tally:
    """Counts what would become of dead letters, and keeps one of each kind that fails."""

    def __init__(self, queue: str) -> None:
        """Nothing is counted yet."""
        self._queue = queue
        self._outcomes: Counter[str] = Counter()
        self._failing: Counter[tuple[str, str]] = Counter()
        self._first: dict[tuple[str, str], str] = {}

    def add(self, letter: Letter, decision: Decision | Vain) -> bool:
        """Counts one; whether it would pass."""
        match decision:
            case Schedule():
                self._outcomes["scheduled"] += 1
            case Skip():
                self._outcomes["skipped"] += 1
            case DeadLetter():
                return self._fail(letter, decision.reason, decision.detail)
            case Vain():
                return self._fail(letter, MISFIT, decision.detail)
        return True

    def result(self, missing: int = 0, seen: int = 0) -> Tried:
        """What was counted, the most frequent failures first."""
        failing = tuple(Failing(*kind, count, self._first[kind]) for kind, count in self._failing.most_common())
        scheduled, skipped = self._outcomes["scheduled"], self._outcomes["skipped"]
        tried = scheduled + skipped + self._failing.total()
        return Tried(self._queue, tried, scheduled, skipped, failing, missing, seen)

    def _fail(self, letter: Letter, reason: str, detail: str) -> bool:
        kind = (reason, detail)
        self._failing[kind] += 1
        self._first.setdefault(kind, letter.event_id)
        return False


def age_of(letter: Letter, now: float) -> float | None:
    """Seconds since a letter was dead-lettered; None where nobody says when that was."""
    return None if letter.time is None else now - letter.time.timestamp()


def _line(position: int, letter: Letter, now: float) -> Line:
    age = age_of(letter, now)
    when = None if letter.time is None else letter.time.astimezone(UTC).isoformat(timespec="seconds")
    return Line(position, age, when, letter.reason, letter.routing_key, letter.event_id, letter.detail)
