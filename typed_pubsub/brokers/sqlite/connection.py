"""A connection to the file, with the methods of ``amqp.Connection``: the code above is the same as on RabbitMQ.

What py-amqp would read from its socket comes from the file, when it has changed: looked for each millisecond at first,
then less often. What was put on a channel is written in one transaction at the next wait, and confirmed by it.
"""

import contextlib
import os
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import Any

from amqp.exceptions import AMQPError, RecoverableConnectionError

from typed_pubsub.brokers.sqlite.channel import Channel
from typed_pubsub.brokers.sqlite.database import GATE, Database
from typed_pubsub.brokers.sqlite.entities import end_sessions
from typed_pubsub.brokers.sqlite.outbox import Event, Publication, Sender, write
from typed_pubsub.brokers.sqlite.routes import Routes
from typed_pubsub.brokers.sqlite.sessions import Keeper, keeper_of

# Between two looks at the file: the first after something happened, and the longest.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.001, 0.025


class Connection:
    """A connection. Threads may share it, as far as py-amqp's may be shared: one waits, others acknowledge."""

    client: Any = None

    def __init__(self, path: str, *, lease: float, timeout: float) -> None:
        """Opens the file; see Database for what it raises.

        Args:
            path: absolute.
            lease: seconds that a silent process keeps what it holds.
            timeout: seconds for any single call; ``limit`` changes it.
        """
        self.path = path
        self.channels: dict[int, Channel] = {}
        self._pid = os.getpid()
        self._lease = lease
        self._timeout = timeout
        self._db: Database | None = Database(path, timeout=timeout)
        self._routes = Routes(self._db)
        self._keeper: Keeper | None = None
        self._session: int | None = None
        self._outbox: list[Publication] = []
        self._events: deque[Event] = deque()
        self._seen: tuple[int, int] | None = None

    @property
    def connected(self) -> bool:
        """Whether it is open, in this process."""
        return self._db is not None and self._pid == os.getpid()

    @property
    def database(self) -> Database:
        """The open file. Raises RecoverableConnectionError: closed, or the parent process's."""
        if self._db is None or self._pid != os.getpid():
            msg = f"the connection to {self.path} is closed"
            raise RecoverableConnectionError(msg)
        return self._db

    @property
    def routes(self) -> Routes:
        """Where messages go."""
        return self._routes

    def session(self) -> int:
        """The session that what is consumed here belongs to; opened when it is first needed, in its own transaction."""
        with GATE:
            if self._session is None:
                self._keeper = keeper_of(self.database, self._lease)
                self._session = self._keeper.open(self.database)
                # One that is dropped without being closed must not be kept alive by its process.
                weakref.finalize(self, self._keeper.leave, self._session)
            return self._session

    def exclusive_session(self) -> int:
        """The session, for what shall be its alone: nothing of the dead is in the way."""
        session = self.session()
        if self._keeper is not None:
            self._keeper.end_dead(self.database)
        return session

    @property
    def current_session(self) -> int | None:
        """The session, if there is one already."""
        return self._session

    def limit(self, seconds: float) -> None:
        """Bounds every call from here on."""
        self._timeout = seconds
        self.database.limit(seconds)

    def channel(self, channel_id: int | None = None) -> Channel:
        """A new channel."""
        with GATE:
            self.database.limit(self._timeout)
            number = channel_id or next(n for n in range(1, len(self.channels) + 2) if n not in self.channels)
            self.channels[number] = Channel(self, number)
            return self.channels[number]

    def look_again(self) -> None:
        """Something has changed on this very connection, which the file does not tell it."""
        self._seen = None

    def put(self, publication: Publication) -> None:
        """Takes a message, to be written at the next ``flush``."""
        with GATE:
            self.database.limit(self._timeout)
            self._outbox.append(publication)

    def flush(self) -> None:
        """Writes what was put, all of it or nothing, and notes what its channels are to be told.

        Raises:
            TimeoutError: others kept the file locked; what was put stays put.
            OSError: see ``Database.transaction``.
        """
        with GATE:
            if not self._outbox:
                return
            database = self.database
            outbox, self._outbox = self._outbox, []
            try:
                self._events += write(database, self._routes, outbox)
            except OSError:
                self._outbox = outbox + self._outbox
                raise
            self.look_again()

    def take_events(self, channel: Sender) -> list[Callable[[], None]]:
        """What a channel is to be told, taken out of turn."""
        taken = [tell for other, tell in self._events if other is channel]
        self._events = deque(event for event in self._events if event[0] is not channel)
        return taken

    def drop(self, publication: Publication) -> None:
        """Forgets a message that could not be written."""
        self._outbox = [other for other in self._outbox if other is not publication]

    def drain_events(self, timeout: float | None = None) -> None:
        """Waits for one event and handles it: a delivery, a return, a confirm, an error.

        Raises:
            TimeoutError: none came within ``timeout`` seconds (None: for ever).
            ChannelError, ConsumerCancelled, OSError, AMQPError: what came is an error, or the file was taken away.
        """
        until = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while True:
            event = self._next_event(self._timeout if until is None else max(until - time.monotonic(), 0))
            if event is not None:
                event()
                return
            left = pause if until is None else until - time.monotonic()
            if left <= 0:
                self.database.require_in_place()
                raise TimeoutError
            time.sleep(min(pause, left))
            pause = min(2 * pause, _LONGEST_PAUSE)

    def heartbeat_tick(self, rate: int = 2) -> None:  # noqa: ARG002  # py-amqp's signature
        """Makes sure that what is held here is still held. Raises ConnectionResetError: it is not."""
        with GATE:
            self.require_session(self.database)

    def send_heartbeat(self) -> None:
        """Nothing to do: the keeper gives the signs of life."""

    def require_session(self, database: Database) -> None:
        """Raises ConnectionResetError, for good, if others have ended the session: the process was silent too long."""
        if self._session is not None and not database.read("select 1 from session where id = ?", self._session):
            self.break_off()
            msg = f"the lease on {self.path} has expired: what was held here is delivered again"
            raise ConnectionResetError(msg)

    def close(self) -> None:
        """Writes what was put, gives back what is held, and closes, whatever fails of it."""
        try:
            if self.connected:
                with GATE:
                    self.flush()
                    self._end_session(self.database)
        finally:
            self.break_off()

    def collect(self) -> None:
        """Closes, whatever may fail about it."""
        with contextlib.suppress(OSError, AMQPError):
            self.close()

    def _end_session(self, database: Database) -> None:
        if self._session is not None:
            with database.transaction():
                for channel in self.channels.values():
                    channel.release_unseen(database, self._session)
                end_sessions(database, [self._session])
            if self._keeper is not None:
                self._keeper.forget(self._session)

    def break_off(self) -> None:
        """Closes this end after a fault: what is still held comes again when the keeper has ended the session."""
        database, self._db = self._db, None
        if database is not None:
            database.close()
        if self._keeper is not None and self._session is not None:
            self._keeper.leave(self._session)
        for channel in list(self.channels.values()):
            channel.collect()
        self._outbox.clear()
        self._events.clear()

    def _next_event(self, patience: float) -> Callable[[], None] | None:
        with GATE:
            database = self.database
            database.limit(patience)
            try:
                self.flush()
                if self._events:
                    return self._events.popleft()[1]
                return self._next_delivery() or self._look(database)
            finally:
                database.limit(self._timeout)

    def _next_delivery(self) -> Callable[[], None] | None:
        return next((found for each in self.channels.values() if (found := each.next_delivery()) is not None), None)

    def _look(self, database: Database) -> Callable[[], None] | None:
        """Claims what has come, if anything has changed since the last look."""
        consuming = [channel for channel in self.channels.values() if channel.consumes]
        if not consuming or (version := database.version()) == self._seen:
            return None
        for channel in consuming:
            if (cancelled := channel.cancelled(database)) is not None:
                return cancelled
        if any(channel.has_work(database) for channel in consuming):
            session = self.session()
            with database.transaction():
                self.require_session(database)
                claimed = [(channel, channel.claim(database, session)) for channel in consuming]
            for channel, found in claimed:
                channel.receive(found)
            # What this connection itself has written does not show in its version.
            self._seen = None
        else:
            self._seen = version
        return self._next_delivery()
