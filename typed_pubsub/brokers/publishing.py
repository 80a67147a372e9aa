"""Publishing events: pipelined confirms over a window, within a deadline per event, across reconnects.

A ``Publication`` is one call of a publisher. It keeps a bounded window of events that are not confirmed; when the
connection breaks, every event in the window is unknown and is written again, under the same id, on the next one.
"""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import random
from typing import Literal

from typed_pubsub.brokers.buffered import NO_WAIT
from typed_pubsub.brokers.confirms import ConfirmChannel, Nacked, Outcome, Returned, Taken
from typed_pubsub.brokers.connection import FAULTS, Link, describe
from typed_pubsub.brokers.pool import Pool
from typed_pubsub.brokers.ready import ReadyMessage
from typed_pubsub.errors import PublishFailed, TopologyRefused
from typed_pubsub.events.message import Message
from typed_pubsub.routing.settle import backoff

log = logging.getLogger("typed_pubsub.publisher")

#: The window: what may be written and unconfirmed. RabbitMQ confirms in bulk, so a larger one gains little.
MAX_EVENTS = 1_000
MAX_BYTES = 4 * 1024 * 1024

# Seconds between two looks at what the broker has answered, while events come in slowly.
_READ_EVERY = 0.5
# Bytes that are written together.
_HOLD = 32_768
# Seconds after which an event is not kept for the next one any more.
_KEEP = 0.002


@dataclass(slots=True)
class _Entry:
    """An event in the window."""

    index: int
    message: Message
    ready: ReadyMessage
    deadline: float
    written: bool = False


class Publication:
    """One call of ``publish`` or ``publish_many``."""

    def __init__(
        self, pool: Pool, exchange: str, timeout: float, unroutable: Literal["warn", "raise", "ignore"],
        warn: Callable[[str], None],
    ) -> None:  # fmt: skip
        """``timeout``: seconds for each event from its entry into the window; ``warn`` gets unroutable keys."""
        self._pool = pool
        self._exchange = exchange
        self._timeout = timeout
        self._policy = unroutable
        self._warn = warn
        self._channel: ConfirmChannel[int] | None = None
        self._window: dict[int, _Entry] = {}
        self._bytes = 0
        self._to_write: deque[int] = deque()
        self._unroutable: list[tuple[int, str]] = []
        self._failures = 0
        self._paused_until = 0.0
        self._last_fault = "the broker did not confirm"
        self._last_read = self._limited = time.monotonic()
        self._sent = 0.0
        self._at_hand = True
        self.confirmed = 0

    def run(self, messages: Iterable[Message], *, at_hand: bool = True) -> int:
        """Publishes all of them and returns how many were confirmed.

        Args:
            messages: read as they are written.
            at_hand: whether the next one never has to be waited for. If so, several are written at a time; otherwise
                each leaves at once, or with the next if that comes within milliseconds; within 200 ms in any case.

        Raises:
            PublishFailed: a deadline passed, or an event was unroutable and the policy is to raise. Events that were
                not read from ``messages`` by then are in none of its lists.
            Exception: what ``messages`` raises; the events before it are confirmed first, and a note says how many.
        """
        self._at_hand = at_hand
        try:
            try:
                self._send_all(iter(messages))
            except PublishFailed:
                raise
            except Exception as error:
                self._finish()
                error.add_note(f"publish_many: {self.confirmed} events were confirmed before this")
                raise
            self._finish()
        finally:
            self._release()
        return self.confirmed

    def _send_all(self, messages: Iterator[Message]) -> None:
        for index, message in enumerate(messages):
            ready = ReadyMessage(message.body, {**message.properties, "application_headers": message.headers})
            now = time.monotonic()
            self._window[index] = _Entry(index, message, ready, now + self._timeout)
            self._bytes += len(message.body)
            self._to_write.append(index)
            self._write_now(now)
            while len(self._window) >= MAX_EVENTS or self._bytes >= MAX_BYTES:
                self._progress()
            if self._policy == "raise" and self._unroutable:
                return

    def _write_now(self, now: float) -> None:
        """Writes what was just read, and looks for answers now and then: the next event may be long in coming."""
        if self._channel is None:
            self._progress()
        if self._channel is None:
            return
        if now - self._last_read > _READ_EVERY:
            self._guarded(lambda: self._write_and_read(0))
        elif self._may_write:
            self._guarded(self._write_due)

    def _finish(self) -> None:
        while self._window:
            self._progress()
        if self._policy == "raise" and self._unroutable:
            raise self._failure("no queue takes the event")

    def _progress(self) -> None:
        """One step: connect if need be, write what is due, and take what the broker has answered."""
        left = next(iter(self._window.values())).deadline - time.monotonic()
        if self._channel is None:
            if left <= 0:
                raise self._too_late()
            self._reconnect(left)
        elif not self._guarded(lambda: self._write_and_read(left)) and left <= 0:
            # Only when nothing more came: what the broker has confirmed long ago is not late.
            raise self._too_late()

    def _write_and_read(self, left: float) -> bool:
        channel = self._open_channel()
        if self._may_write:
            self._write_due()
        # What is held back leaves before anything is read.
        channel.link.limit(max(left, NO_WAIT))
        self._limited = time.monotonic()
        pause = self._paused_until - self._limited
        came = channel.link.drain(min(left, 1.0, pause) if pause > 0 else min(left, 1.0))
        self._settle(channel.take_outcomes())
        self._last_read = time.monotonic()
        return came

    def _write_due(self) -> bool:
        channel = self._open_channel()
        link = channel.link
        while self._to_write:
            entry = self._window.get(self._to_write[0])
            if entry is not None:
                if link.held >= _HOLD:
                    self._send(link)
                entry.written = True
                channel.put(entry.index, entry.ready, self._exchange, entry.message.routing_key)
            self._to_write.popleft()
        if not self._at_hand:
            self._send(link)
        return True

    def _send(self, link: Link) -> None:
        """Bounds the write: a broker that does not read fills the socket, and then it waits."""
        now = time.monotonic()
        if now - self._limited > self._timeout / 100:
            self._limited = now
            link.limit(next(iter(self._window.values())).deadline - now)
        if self._at_hand or now - self._sent < _KEEP:
            link.push_held()
        else:
            self._sent = now
            link.send_held()

    def _settle(self, outcomes: dict[int, Outcome]) -> None:
        for index, outcome in outcomes.items():
            match outcome:
                case Taken():
                    self.confirmed += 1
                    self._failures = 0
                    self._drop(index)
                case Returned():
                    self._return(index, self._window[index].message)
                    self._drop(index)
                case Nacked():
                    # A queue is full: the event may stand in others already, so it is unknown until one try passes.
                    self._to_write.append(index)
                    if self._may_write:
                        # Once for all that a full queue refuses one after the other.
                        self._pause("a queue refused the event (nack): it is full, or in trouble")

    def _return(self, index: int, message: Message) -> None:
        if self._policy == "raise":
            self._unroutable.append((index, message.event_id))
            return
        self.confirmed += 1
        if self._policy == "warn":
            self._warn(message.routing_key)

    def _drop(self, index: int) -> None:
        entry = self._window.pop(index)
        self._bytes -= len(entry.message.body)

    def _reconnect(self, left: float) -> None:
        pause = self._paused_until - time.monotonic()
        if pause > 0:
            time.sleep(min(pause, left))
            return

        def connect() -> bool:
            self._channel = self._pool.take(left)
            self._limited = 0.0
            self._to_write = deque(self._window)
            return True

        self._guarded(connect)

    def _guarded(self, step: Callable[[], bool]) -> bool:
        """Runs a step that uses the connection; after a fault the connection is dropped and all of it is due again."""
        try:
            return step()
        except TopologyRefused as error:
            raise self._failure(str(error)) from error
        except FAULTS as error:
            if self._channel is not None:
                channel, self._channel = self._channel, None
                channel.close(timeout=0.1)
                self._settle(channel.take_outcomes())
            self._pause(describe(error))
            return False

    def _pause(self, fault: str) -> None:
        self._failures += 1
        self._last_fault = fault
        self._paused_until = time.monotonic() + backoff(self._failures, random())  # noqa: S311  # jitter
        log.debug("publishing: %s; attempt %d", fault, self._failures)

    @property
    def _blocked(self) -> bool:
        return self._channel is not None and self._channel.link.blocked

    @property
    def _may_write(self) -> bool:
        return not self._blocked and (not self._paused_until or time.monotonic() >= self._paused_until)

    def _open_channel(self) -> ConfirmChannel[int]:
        if self._channel is None:
            msg = "not connected"
            raise ConnectionError(msg)
        return self._channel

    def _too_late(self) -> PublishFailed:
        fault = "the broker has blocked the connection" if self._blocked else self._last_fault
        return self._failure(f"not confirmed within {self._timeout:g} s: {fault}")

    def _failure(self, reason: str) -> PublishFailed:
        entries = list(self._window.values())
        return PublishFailed(
            f"exchange {self._exchange!r}: {reason}",
            confirmed=self.confirmed,
            unroutable=self._unroutable,
            unknown=[(entry.index, entry.message.event_id) for entry in entries if entry.written],
            unsent=[(entry.index, entry.message.event_id) for entry in entries if not entry.written],
        )

    def _release(self) -> None:
        if self._channel is None:
            return
        if self._window:
            self._channel.close(timeout=0.1)
        else:
            self._pool.give_back(self._channel)
        self._channel = None
