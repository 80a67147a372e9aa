"""Connections that publications share, one at a time."""

import os
import threading
import time
from collections.abc import Callable

from typed_pubsub.brokers.confirms import ConfirmChannel
from typed_pubsub.brokers.connection import FAULTS, Link
from typed_pubsub.brokers.topology import ensure_exchange

#: An idle connection of this age is not trusted: a firewall may have dropped it without a word.
_MAX_IDLE = 30.0
#: Seconds for a goodbye: they come out of somebody's deadline.
_GOODBYE = 0.1
_MAX_POOLED = 16


class Pool:
    """Connections to the event broker, each lent to one publication at a time.

    Threads never share one, and a forked child starts with an empty pool: what the parent has open stays the parent's.
    """

    def __init__(self, connect: Callable[[float], Link], exchange: str) -> None:
        """``connect`` opens a connection within a number of seconds."""
        self._connect = connect
        self._exchange = exchange
        self._lock = threading.Lock()
        self._idle: list[tuple[float, ConfirmChannel[int]]] = []
        self._pid = os.getpid()
        self._closed = False

    def take(self, timeout: float) -> ConfirmChannel[int]:
        """A confirming channel: the one used last, if it is fresh and healthy, else a new one.

        Raises:
            OSError, AMQPError: no connection within ``timeout`` seconds.
        """
        end = time.monotonic() + timeout
        if self._pid != os.getpid():
            self._abandon()
        while True:
            with self._lock:
                if not self._idle:
                    break
                since, channel = self._idle.pop()
            if time.monotonic() - since < _MAX_IDLE and _is_healthy(channel):
                return channel
            channel.close(_GOODBYE)
        return self._new(end)

    def give_back(self, channel: ConfirmChannel[int]) -> None:
        """Returns a channel on which nothing is pending."""
        with self._lock:
            if not self._closed and len(self._idle) < _MAX_POOLED and self._pid == os.getpid():
                self._idle.append((time.monotonic(), channel))
                return
        channel.close()

    def close(self) -> None:
        """Closes every idle connection; those lent out are closed when they come back."""
        with self._lock:
            idle, self._idle = self._idle, []
            self._closed = True
        for _, channel in idle:
            channel.close()

    def _abandon(self) -> None:
        idle = self._idle
        # A new lock too: another thread of the parent may have held the old one at the fork.
        self._lock, self._idle, self._pid, self._closed = threading.Lock(), [], os.getpid(), False
        for _, channel in idle:
            channel.link.abandon()

    def _new(self, end: float) -> ConfirmChannel[int]:
        link = self._connect(max(end - time.monotonic(), _GOODBYE))
        try:
            # What connecting took is gone from the deadline.
            link.limit(end - time.monotonic())
            ensure_exchange(link, self._exchange)
            return ConfirmChannel(link)
        except BaseException:
            link.close(_GOODBYE)
            raise


def _is_healthy(channel: ConfirmChannel[int]) -> bool:
    try:
        while channel.link.drain(0):
            pass
    except FAULTS:
        return False
    return not channel.link.blocked
