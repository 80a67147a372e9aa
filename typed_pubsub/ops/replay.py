"""Dead letters taken out of their queue: put on the event queue again, or dropped. One at a time, nothing lost."""

import base64
import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

from typed_pubsub.brokers.confirms import Nacked, Outcome, Returned, Taken
from typed_pubsub.brokers.letter_box import WINDOW, LetterBox, opened
from typed_pubsub.brokers.letters import Letter, as_replayed
from typed_pubsub.brokers.tables import as_json
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import PubSubError
from typed_pubsub.ops.connect import connected
from typed_pubsub.ops.dry_run import DryRun
from typed_pubsub.ops.letters import Advance, Failing, Tally, Wanted, queue_of
from typed_pubsub.ops.recordings import what_killed, write_letter

# A letter that the broker has sent ahead may wait for its turn so many seconds: RabbitMQ wants it back after 1,800.
_PATIENCE = 600.0


class NotSaved(PubSubError):
    """The file that is to keep what is dropped cannot be written."""


@dataclass(frozen=True, slots=True)
class Done:
    """What became of the dead letters that were meant.

    Attributes:
        queue: the event queue.
        done: how many were replayed, or dropped.
        failing: those left where they are because they would be dead letters again, or scheduled in vain.
        refused: why the queue did not take the next one, empty where it did.
        missing: so many more were there, in the hands of another consumer.
        later: those left where they are because they came after the start, by the clock of who dead-lettered them.
        stopped: whether it was asked to stop before the end.
        seen: how many were looked at, meant or not.
    """

    queue: str
    done: int
    failing: tuple[Failing, ...] = ()
    refused: str = ""
    missing: int = 0
    later: int = 0
    stopped: bool = False
    seen: int = 0

    @property
    def none_meant(self) -> bool:
        """Whether there are dead letters, and none of them is one that was meant."""
        return bool(self.seen) and not (self.done or self.failing or self.refused or self.later or self.stopped)


def replay(
    config: PubSubConfig,
    wanted: Wanted,
    stop: Event,
    *,
    passing: DryRun | None = None,
    rate: float | None = None,
    advance: Advance = lambda _: None,
    anyway: bool = False,
) -> Done | None:
    """Puts dead letters on their queue again, each acknowledged once the broker has confirmed its copy.

    Killed at any time, at most one letter is then there twice, and none is lost. What was dead-lettered after
    ``wanted.now`` stays. None: there is no dead-letter queue.

    Args:
        config: of the service.
        wanted: which are meant.
        stop: when set, it ends after the letter in hand.
        passing: replay only what would pass this.
        rate: at most so many a second.
        advance: called with 1 after each.
        anyway: see ``opened``.

    Raises:
        ConnectFailed: no connection, or it broke meanwhile.
    """
    queue = queue_of(config)
    window = WINDOW if rate is None else max(1, min(WINDOW, int(rate * _PATIENCE)))
    tally = Tally(queue)
    taking = _Taking(queue, wanted, stop)
    done, refused = 0, ""
    with connected(config.broker_url) as link, opened(link, queue, window=window, anyway=anyway) as box:
        if box is None:
            return None
        for letter in taking.each(box):
            if passing is not None and not tally.add(letter, passing.decide(as_replayed(letter, queue))):
                continue
            refused = _refusal(queue, box.replay(letter))
            if refused:
                break
            box.remove(letter)
            done += 1
            advance(1)
            if rate is not None:
                box.wait(1 / rate)
        return taking.result(box, done, failing=tally.result().failing, refused=refused)


def drop(
    config: PubSubConfig,
    wanted: Wanted,
    stop: Event,
    *,
    save: Path | None = None,
    advance: Advance = lambda _: None,
    anyway: bool = False,
) -> Done | None:
    """Removes dead letters for good; with ``save`` each stands in that file, on disk, before it is removed.

    A line of the file is a recording's: see ``write_letter``.

    None: there is no dead-letter queue.

    Raises:
        ConnectFailed: no connection, or it broke meanwhile.
        NotSaved: the file cannot be written; the letter in hand stays.
    """
    queue = queue_of(config)
    taking = _Taking(queue, wanted, stop)
    done = 0
    with _saving(save) as keep, connected(config.broker_url) as link, opened(link, queue, anyway=anyway) as box:
        if box is None:
            return None
        for letter in taking.each(box):
            keep(letter)
            box.remove(letter)
            done += 1
            advance(1)
        return taking.result(box, done)


class _Taking:
    """The letters that are to be taken out, one by one until it is asked to stop."""

    def __init__(self, queue: str, wanted: Wanted, stop: Event) -> None:
        self._queue = queue
        self._wanted = wanted
        self._stop = stop
        self._later = 0
        self._ended_early = False

    def each(self, box: LetterBox) -> Iterator[Letter]:
        taken = 0
        for _, letter in self._wanted.meant(box):
            self._ended_early = self._stop.is_set() or taken == self._wanted.limit
            if self._ended_early:
                return
            # The count at the start holds where a subscriber's clock is behind ours.
            if letter.time is not None and letter.time.timestamp() > self._wanted.now:
                self._later += 1
                continue
            taken += 1
            yield letter

    def result(self, box: LetterBox, done: int, *, failing: tuple[Failing, ...] = (), refused: str = "") -> Done:
        missing = 0 if refused or self._ended_early else box.missing
        return Done(self._queue, done, failing, refused, missing, self._later, self._stop.is_set(), box.seen)


def _refusal(queue: str, outcome: Outcome) -> str:
    match outcome:
        case Taken():
            return ""
        case Returned():
            return f"no queue takes it ({outcome.reply}): is there a queue {queue!r}? A subscriber's start declares it"
        case Nacked():
            return f"queue {queue!r} refuses it: is it full?"


@contextmanager
def _saving(path: Path | None) -> Generator[Callable[[Letter], None]]:
    if path is None:
        yield lambda _: None
        return
    with _telling(path), path.open("ab") as file:

        def keep(letter: Letter) -> None:
            with _telling(path):
                file.write(write_letter(letter, datetime.now(UTC)))
                file.flush()
                os.fsync(file.fileno())

        yield keep


@contextmanager
def _telling(path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        raise NotSaved(f"{str(path)!r} cannot be written: {error.strerror}") from error


def as_record(letter: Letter) -> dict[str, Any]:
    """All of a dead letter, for JSON: the body as text where it is UTF-8 (``body``), else in base64."""
    try:
        body = {"body": letter.body.decode()}
    except UnicodeDecodeError:
        body = {"body_base64": base64.b64encode(letter.body).decode()}
    return {
        "routing_key": letter.routing_key,
        "exchange": letter.exchange,
        **what_killed(letter),
        "original": {
            "headers": as_json(letter.original.headers),
            "properties": as_json(letter.original.properties),
            "cut": letter.original.cut,
            **({"raw": letter.original.raw} if letter.original.raw else {}),
        },
        **body,
    }
