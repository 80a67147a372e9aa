"""A dead-letter queue, read in order on one channel without taking anything out of it.

Letters are consumed, left unacknowledged and given back all at once, so that their order is kept. RabbitMQ sends no
more than a prefetch at a time; where all of it is kept, another consumer on the same channel gets the next one. The
channel publishes too, in confirm mode: a broker handles the methods of one channel in order, so the confirm of a
replayed letter proves that it has the acknowledgement of the one before.
"""

import contextlib
import time
from collections import deque
from collections.abc import Generator, Iterator
from typing import Any

from amqp import spec
from amqp.exceptions import ChannelError

from typed_pubsub.brokers.confirms import ConfirmChannel, Outcome
from typed_pubsub.brokers.connection import FAULTS, Link
from typed_pubsub.brokers.consumer import delivery_of
from typed_pubsub.brokers.letters import Letter, read_letter, replay_message
from typed_pubsub.brokers.queues import count_queue, drops_by_itself
from typed_pubsub.brokers.topology import dead_letter_queue
from typed_pubsub.errors import BrokerError, TopologyRefused
from typed_pubsub.events.delivery import Delivery

#: Letters that the broker sends ahead: some of them may be large.
WINDOW = 100
# Seconds without a letter after which those that are missing are taken to be in somebody else's hands.
_QUIET = 2.0
# Seconds for the broker to confirm one letter, and to take all of them back.
_ANSWER = 30.0
# Seconds for all of them to be ready again, and more for each that there was: RabbitMQ 3.10 takes its time for tens of
# thousands. They never are, where somebody else reads them at once.
_BACK, _BACK_EACH = 5.0, 0.002
_LOOK_EVERY = 0.01
# Windows that are given back at a time.
_AT_A_TIME = 16


class LookedAtTooOften(BrokerError):
    """The broker would drop dead letters for having been looked at."""


class LetterBox:
    """The dead letters of a queue: as many as were there when it was opened, each once."""

    def __init__(
        self, link: Link, queue: str, count: int, *, others: int = 0, window: int = WINDOW, quiet: float = _QUIET
    ) -> None:
        """See ``opened``."""
        self.count = count
        #: Consumers that were there before, and may hold letters that nobody counts.
        self.others = others
        self.seen = 0
        self._link = link
        self._queue = queue
        self._window = 0 if link.sends_what_is_read else window
        self._quiet = quiet
        self._came: deque[Delivery] = deque()
        self._kept = 0
        self._last = 0
        self._ends: list[int] = []
        self._tag = ""
        self._channel = link.channel()
        self._confirming: ConfirmChannel[int] | None = None
        self._consume()

    @property
    def missing(self) -> int:
        """How many there were that never came: somebody else holds them."""
        return self.count - self.seen

    def __iter__(self) -> Iterator[Letter]:
        """Ends at the count of the start, and where nothing more comes."""
        while self.seen < self.count and (delivery := self._next()) is not None:
            self.seen += 1
            # Whoever loops may run the user's code on each: nobody reads the connection meanwhile.
            self._link.beat()
            yield read_letter(delivery)

    def remove(self, letter: Letter) -> None:
        """Takes a letter out of the queue for good."""
        self._channel.basic_ack(letter.tag)
        self._kept -= 1

    def replay(self, letter: Letter) -> Outcome:
        """Puts a copy of a letter on its queue, and waits for what the broker says.

        Raises:
            TimeoutError: it does not answer.
        """
        if self._confirming is None:
            self._confirming = ConfirmChannel(self._link, self._channel)
        self._confirming.put(letter.tag, replay_message(letter), "", self._queue)
        self._confirming.flush(_ANSWER, lambda: None)
        return self._confirming.take_outcomes()[letter.tag]

    def wait(self, seconds: float) -> None:
        """Waits, and keeps the connection alive."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._link.drain(min(left, 1.0))
            self._link.heartbeat()

    def close(self) -> None:
        """Gives back all that is not removed, in order, and waits until the queue has it."""
        self._link.limit(_ANSWER)
        self._channel.basic_cancel(self._tag)
        deadline = time.monotonic() + _BACK + _BACK_EACH * self.seen
        # A quorum queue is told window by window, and of more than 32 at a time in any order.
        ends = self._ends[_AT_A_TIME - 1 :: _AT_A_TIME]
        for end in ends:
            self._give_back(end, _AT_A_TIME * self._window, deadline)
        rest = len(self._ends) - len(ends) * _AT_A_TIME
        self._give_back(0, rest * self._window + self._kept, deadline)
        self._channel.close()

    def _give_back(self, end: int, count: int, deadline: float) -> None:
        """Gives back the letters up to this delivery (0: all), and waits until they are ready to be read again."""
        expected = self._ready() + count
        # Not by closing the channel: RabbitMQ from 4.3 on counts that as a failed delivery, and this not.
        self._channel.send_method(spec.Basic.Nack, "Lbb", (end, True, True))
        while self._ready() < expected and time.monotonic() < deadline:
            self._link.drain(_LOOK_EVERY)

    def _ready(self) -> int:
        return int(self._channel.queue_declare(dead_letter_queue(self._queue), passive=True).message_count)

    def _next(self) -> Delivery | None:
        deadline = time.monotonic() + self._quiet
        while not self._came:
            if self._window and self._kept >= self._window:
                self._channel.basic_cancel(self._tag)
                # All of them are kept, the last one too.
                self._ends.append(self._last)
                self._consume()
                deadline = time.monotonic() + self._quiet
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self._link.drain(left)
        return self._came.popleft()

    def _consume(self) -> None:
        self._kept = 0
        self._channel.basic_qos(0, self._window, False)  # noqa: FBT003  # a_global: quorum queues refuse it
        # A quorum queue takes letters back consumer by consumer, in the order of their names.
        name = f"typed_pubsub-dlq-{len(self._ends):09}"
        self._tag = self._channel.basic_consume(dead_letter_queue(self._queue), name, callback=self._on_message)

    def _on_message(self, message: Any) -> None:
        delivery = delivery_of(message)
        self._kept += 1
        self._last = delivery.tag
        self._came.append(delivery)


@contextlib.contextmanager
def opened(link: Link, queue: str, *, window: int = WINDOW, anyway: bool = False) -> Generator[LetterBox | None]:
    """The dead letters of an event queue; None: it has no dead-letter queue.

    Args:
        link: to the event broker.
        queue: the event queue.
        window: letters that the broker sends ahead.
        anyway: look although the broker may drop what was looked at often.

    Raises:
        LookedAtTooOften: the broker may do so.
        TopologyRefused: it does not allow the question.
        OSError, AMQPError: the connection broke.
    """
    name = dead_letter_queue(queue)
    found = count_queue(link, name)
    if found is None:
        yield None
        return
    if not anyway and drops_by_itself(link, name):
        msg = (
            f"{name!r} is a quorum queue with a delivery limit, and RabbitMQ drops a dead letter that was looked at 20 "
            "times, or as often as a policy says: move its messages to a queue declared with x-delivery-limit -1 under "
            "this name; --anyway looks all the same"
        )
        raise LookedAtTooOften(msg)
    try:
        box = LetterBox(link, queue, found[0], others=found[1], window=window)
    except ChannelError as error:
        raise TopologyRefused(f"the broker does not hand out {name!r}: {error.reply_text or error}") from error
    try:
        yield box
    except BaseException:
        with contextlib.suppress(*FAULTS):
            box.close()
        raise
    box.close()
