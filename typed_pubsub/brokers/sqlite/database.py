"""The file: opened, recognised, and written in transactions, with errors that say what to do.

SQLite's locks are POSIX locks, which a process loses when it closes any descriptor of the file: nothing here may open
the file but SQLite. A child would inherit what SQLite believes to have locked, without the locks, so no connection
crosses a fork: every use holds ``GATE``, which a fork waits for, and a fork closes them all; the parent opens its own
anew at the next use.
"""

import contextlib
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Generator
from typing import Any

from typed_pubsub.brokers.sqlite.faults import code_of, fault, refuse_unwritable, unusable
from typed_pubsub.brokers.sqlite.schema import APPLICATION_ID, FORMAT, SCHEMA
from typed_pubsub.errors import MisconfigurationException

#: Held during every use of SQLite in this process.
GATE = threading.RLock()

_open: "weakref.WeakSet[Database]" = weakref.WeakSet()

_MAX_WAL_BYTES = 4 * 1024 * 1024
#: Pages (of 4 KB) that deleted messages leave and that are kept for the next ones.
_KEPT_PAGES = 256


def _close(raw: sqlite3.Connection) -> None:
    with contextlib.suppress(sqlite3.Error):
        raw.close()


def _before_fork() -> None:
    GATE.acquire()
    for database in _open:
        database.suspend()


def _after_fork_in_child() -> None:
    _open.clear()
    GATE.release()


os.register_at_fork(before=_before_fork, after_in_parent=GATE.release, after_in_child=_after_fork_in_child)


class Database:
    """One connection to the file. Threads may share it: each transaction is one thread's alone."""

    def __init__(self, path: str, *, timeout: float) -> None:
        """Opens the file, or makes it.

        Args:
            path: absolute.
            timeout: seconds that any step waits for other processes' transactions; ``limit`` changes it.

        Raises:
            MisconfigurationException: there is no such directory, it may not be written, or the file is not ours.
            TimeoutError: others kept it locked.
            OSError: the disk is full or broken.
        """
        self.path = path
        self._pid = os.getpid()
        self._raw: sqlite3.Connection | None = None
        self._connections = 0
        self._closed = False
        self.identity: tuple[int, int] = (0, 0)
        self._durable: bool | None = None
        self._timeout = timeout
        self._set_timeout = -1.0
        with GATE:
            self._connect()

    def limit(self, seconds: float) -> None:
        """How long a transaction waits for those of others, from here on; reading waits for nobody.

        Meanwhile all other uses of SQLite in this process wait too (``GATE``), and so does a fork.
        """
        self._timeout = max(seconds, 0.001)

    def read(self, sql: str, *values: Any) -> list[Any]:
        """The rows of a query."""
        with GATE, self._told():
            return self._ready().execute(sql, values).fetchall()

    def write(self, sql: str, *values: Any) -> Any:
        """Runs one statement inside of ``transaction``; its cursor."""
        return self._ready().execute(sql, values)

    def write_many(self, sql: str, rows: list[Any]) -> int:
        """Runs one statement for each row, inside of ``transaction``; how many rows it changed."""
        return self._ready().executemany(sql, rows).rowcount

    @contextlib.contextmanager
    def transaction(self, *, durable: bool = False) -> Generator[None]:
        """All or nothing, alone among all processes.

        Args:
            durable: on the disk at the end, so that not even a power failure undoes it. Otherwise it survives the
                death of any process, and a power failure may undo it, with all that came after it.

        Raises:
            TimeoutError: others kept the file locked; nothing was written.
            OSError: the disk is full, broken or read-only, or the file was moved away; nothing was written.
        """
        with GATE, self._told():
            if durable:
                self.require_in_place()
            raw = self._ready()
            if self._timeout != self._set_timeout:
                self._apply_timeout(raw)
            if durable is not self._durable:
                raw.execute(f"pragma synchronous={'full' if durable else 'normal'}")
                self._durable = durable
            try:
                raw.execute("begin immediate")
                yield
                raw.execute("commit")
            except BaseException:
                if raw.in_transaction:
                    raw.execute("rollback")
                raise
            finally:
                if self._closed:
                    self.close()

    def version(self) -> tuple[int, int]:
        """Something that changes when another connection, in any process, has written."""
        with GATE, self._told():
            raw = self._ready()
            number: int = raw.execute("pragma data_version").fetchone()[0]
            # The number means nothing beyond one connection, and a fork makes another.
            return self._connections, number

    def shrink(self) -> None:
        """Gives some of the room of deleted messages back to the disk."""
        if self.read("pragma freelist_count")[0][0] > _KEPT_PAGES:
            # A script, because sqlite3 leaves a statement alone after the first page that it frees. The file is as
            # long as before until what was written is in it.
            with GATE, self._told():
                self._ready().executescript("pragma incremental_vacuum(2048); pragma wal_checkpoint(passive)")

    def is_in_place(self) -> bool:
        """Whether the path still leads to the file that is open here."""
        try:
            found = os.stat(self.path)  # noqa: PTH116  # on the way of every publication
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self.identity

    def require_in_place(self) -> None:
        """Raises ConnectionError if the file was moved or deleted."""
        if not self.is_in_place():
            # Writing on would go into a file that nobody else can open any more.
            msg = f"{self.path} was moved or deleted while it was open"
            raise ConnectionError(msg)

    def suspend(self) -> None:
        """Closes the connection until the next use: the process forks."""
        if self._raw is not None and not self._raw.in_transaction:
            self._raw = None
            self._dropped()

    def close(self) -> None:
        """Closes the connection for good; a forked child has none to close."""
        if self._pid != os.getpid():
            return
        with GATE:
            # Inside of a transaction it is closed when that ends.
            self._closed = True
            self.suspend()
            if self._raw is None:
                _open.discard(self)

    def _connect(self) -> sqlite3.Connection:
        refuse_unwritable(self.path)
        try:
            raw = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, cached_statements=256)
        except sqlite3.Error as error:
            raise unusable(error, self.path) from error
        try:
            self._prepare(raw)
        except sqlite3.Error as error:
            raw.close()
            raise unusable(error, self.path) from error
        except BaseException:
            raw.close()
            raise
        self._raw, self._durable = raw, None
        # Of one that nobody closes; closing it by hand is calling this.
        self._dropped = weakref.finalize(self, _close, raw)
        # At the end of the process threads may still use it.
        self._dropped.atexit = False
        self._connections += 1
        _open.add(self)
        return raw

    def _prepare(self, raw: sqlite3.Connection) -> None:
        self._apply_timeout(raw)
        until = time.monotonic() + self._timeout
        # First of all: this is what SQLite refuses for a file of something else.
        if raw.execute("pragma application_id").fetchone()[0] == 0:
            self._make(raw, until)
        self._recognise(raw)
        raw.execute(f"pragma journal_size_limit={_MAX_WAL_BYTES}")
        raw.execute("pragma foreign_keys=on")
        raw.execute("pragma temp_store=memory")
        found = os.stat(self.path)  # noqa: PTH116
        self.identity = (found.st_dev, found.st_ino)

    @staticmethod
    def _make(raw: sqlite3.Connection, until: float) -> None:
        if raw.execute("select count(*) from sqlite_master").fetchone()[0]:
            return
        # Only of an empty file, and before anything else is written.
        raw.execute("pragma auto_vacuum=incremental")
        while True:
            try:
                raw.execute("pragma journal_mode=wal")
                break
            except sqlite3.OperationalError as error:
                # Another process makes the same file: SQLite does not wait for this one lock by itself.
                if code_of(error) != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
        raw.execute("begin immediate")
        if raw.execute("pragma application_id").fetchone()[0] == 0:
            for statement in SCHEMA:
                raw.execute(statement)
            raw.execute(f"pragma application_id={APPLICATION_ID}")
            raw.execute(f"pragma user_version={FORMAT}")
        raw.execute("commit")

    def _recognise(self, raw: sqlite3.Connection) -> None:
        if raw.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
            msg = f"{self.path} is a database of something else: give the embedded broker a file of its own"
            raise MisconfigurationException(msg)
        (found,) = raw.execute("pragma user_version").fetchone()
        if found != FORMAT:
            msg = (
                f"{self.path} was made by another version of typed_pubsub (format {found}, this one reads {FORMAT}): "
                "let that version drain it, then delete it"
            )
            raise MisconfigurationException(msg)

    def _ready(self) -> sqlite3.Connection:
        if self._pid != os.getpid():
            msg = f"this connection to {self.path} belongs to the parent process: open another one after a fork"
            raise ConnectionError(msg)
        return self._raw if self._raw is not None else self._reconnect()

    def _reconnect(self) -> sqlite3.Connection:
        if self._closed:
            msg = f"the connection to {self.path} is closed"
            raise ConnectionError(msg)
        # After a fork; a file of the same name that came meanwhile is not the one that was open.
        self.require_in_place()
        return self._connect()

    def _apply_timeout(self, raw: sqlite3.Connection) -> None:
        raw.execute(f"pragma busy_timeout={int(self._timeout * 1000) or 1}")
        self._set_timeout = self._timeout

    @contextlib.contextmanager
    def _told(self) -> Generator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise fault(error, self.path) from error
