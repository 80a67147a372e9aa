"""Who holds what: a session for each connection that consumes, kept alive by its process, ended by others when it dies.

What a session holds (deliveries, exclusive queues, consumers) is its own until it ends. It ends when its connection
closes, when its process is gone (seen at once, by any other process on the machine) or has given no sign of life for
the length of a lease. A ``Keeper`` gives the signs, and looks after the file, for all connections of one process.
"""

import functools
import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import TypeAlias

from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.entities import drop_idle_queues, end_sessions
from typed_pubsub.brokers.sqlite.messages import drop_expired

log = logging.getLogger("typed_pubsub.sqlite")

#: Seconds between two looks at the sessions of others: how soon a dead process's deliveries come again.
LOOK_EVERY = 0.5
#: Seconds that a keeper waits for others' transactions: longer would keep its own process waiting.
_PATIENCE = 2.0

Identity: TypeAlias = tuple[int, int]
#: Of a session: number, machine, process, its start, the end of the lease.
Row: TypeAlias = tuple[int, str, int, str, float]

_keepers: dict[tuple[str, Identity], "Keeper"] = {}
_keepers_lock = threading.Lock()


def _after_fork_in_child() -> None:
    global _keepers_lock  # noqa: PLW0603  # another thread of the parent may have held it
    _keepers_lock = threading.Lock()
    _keepers.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)


def keeper_of(database: Database, lease: float) -> "Keeper":
    """The keeper of this process for an open file: for another one of the same name it is another."""
    with _keepers_lock:
        key = (database.path, database.identity)
        keeper = _keepers.get(key)
        if keeper is None:
            keeper = _keepers[key] = Keeper(database.path, database.identity, lease)
        return keeper


class Keeper:
    """Renews the sessions of this process and ends those of dead ones: a thread that lives as long as they do."""

    def __init__(self, path: str, identity: Identity, lease: float) -> None:
        """``identity`` tells the file from another that may come to have its name; ``lease``: seconds."""
        self._path = path
        self._identity = identity
        self._lease = lease
        self._pid = os.getpid()
        self._sessions: set[int] = set()
        self._left: set[int] = set()
        # Reentrant: a connection that is dropped is forgotten by the garbage collector, in whatever thread that runs.
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._suspects: dict[int, float] = {}

    def open(self, database: Database) -> int:
        """A new session of this process; its number."""
        self.end_dead(database)
        with database.transaction():
            values = (machine(), os.getpid(), started(os.getpid()) or "", time.time() + self._lease)
            cursor = database.write("insert into session (machine, pid, started, expires) values (?, ?, ?, ?)", *values)
            session: int = cursor.lastrowid
        with self._lock:
            self._sessions.add(session)
            self._start()
        return session

    def forget(self, session: int) -> None:
        """A session that has ended; the thread ends with the last one."""
        if self._pid == os.getpid():
            with self._lock:
                self._sessions.discard(session)
                self._rest()

    def leave(self, session: int) -> None:
        """A session whose connection is gone and could not end it: it is ended at the next look."""
        if self._pid == os.getpid():
            with self._lock:
                if session in self._sessions:
                    self._sessions.discard(session)
                    self._left.add(session)

    def end_dead(self, database: Database) -> None:
        """Ends the sessions of processes that are gone, now: who is killed and started again meets nothing of his own.

        An exclusive queue would be locked otherwise until somebody looks.
        """
        dead = _dead(_sessions(database))
        if dead:
            self._end(database, dead)

    def look(self, database: Database) -> None:
        """One round: renews, ends, expires, and gives room back to the disk."""
        now = time.time()
        rows = _sessions(database)
        with self._lock:
            own, left = set(self._sessions), set(self._left)
        due = [(now + self._lease, row[0]) for row in rows if row[0] in own and row[4] < now + self._lease * 2 / 3]
        if due:
            with database.transaction():
                database.write_many("update session set expires = ? where id = ?", due)
        ended = self._ended_sessions([row for row in rows if row[0] not in own | left], now)
        ended |= {row[0]: row[4] for row in rows if row[0] in left}
        if ended:
            self._end(database, ended)
        with self._lock:
            self._left -= left
            self._rest()
        drop_expired(database, now)
        drop_idle_queues(database, now)
        database.shrink()

    def _end(self, database: Database, ended: dict[int, float]) -> None:
        with database.transaction():
            # Whoever was renewed since it was looked at is not dead.
            still = "select 1 from session where id = ? and expires = ?"
            sure = [session for session, expires in ended.items() if database.read(still, session, expires)]
            end_sessions(database, sure)
        if sure:
            log.info("%d connections to %s are gone: what they held is delivered again", len(sure), self._path)

    def _ended_sessions(self, rows: list[Row], now: float) -> dict[int, float]:
        """Those that are over, and when their leases ended."""
        dead = _dead(rows)
        # Expired in two looks running: after a machine has slept, the living renew theirs first.
        silent = {session: expires for session, *_, expires in rows if expires < now}
        dead |= {session: expires for session, expires in silent.items() if self._suspects.get(session) == expires}
        self._suspects = silent
        return dead

    def _run(self) -> None:
        database: Database | None = None
        try:
            while True:
                try:
                    database = database or self._open_file()
                    if database is not None:
                        self.look(database)
                    else:
                        self._forget_left()
                except Exception as error:  # noqa: BLE001  # whoever uses the file meets the same, and is told
                    log.debug("looking after %s: %s", self._path, error)
                if self._wake.wait(LOOK_EVERY):
                    return
        finally:
            if database is not None:
                database.close()
            with self._lock:
                self._thread = None
                if self._sessions or self._left:
                    # One was opened while this thread was on its way out.
                    self._start()

    def _open_file(self) -> Database | None:
        """The file, if the path still leads to it: one that was taken away has nothing to look after."""
        if not Path(self._path).exists():
            return None
        database = Database(self._path, timeout=_PATIENCE)
        if database.identity == self._identity:
            return database
        database.close()
        return None

    def _start(self) -> None:
        if self._thread is None:
            self._wake.clear()
            self._thread = threading.Thread(target=self._run, name=f"typed_pubsub {self._path}", daemon=True)
            self._thread.start()

    def _forget_left(self) -> None:
        with self._lock:
            self._left.clear()
            self._rest()

    def _rest(self) -> None:
        if not self._sessions and not self._left:
            self._wake.set()


def _sessions(database: Database) -> list[Row]:
    return database.read("select id, machine, pid, started, expires from session")


def _dead(rows: list[Row]) -> dict[int, float]:
    """The sessions whose processes are seen to be gone, and when their leases end."""
    return {session: expires for session, its, pid, start, expires in rows if is_alive(its, pid, start) is False}


def is_alive(its_machine: str, pid: int, its_start: str) -> bool | None:
    """Whether a process still runs; None where that cannot be seen from here."""
    if its_machine != machine():
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    start = started(pid)
    return None if start is None or not its_start else start == its_start


@functools.cache
def machine() -> str:
    """What tells this machine, since it was booted, and its set of process numbers (a container's) from any other."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115  # the link's text, no path
    except OSError:
        return socket.gethostname()


def started(pid: int) -> str | None:
    """When a process was started, in the kernel's ticks: its number may be another's by now. None: not to be had.

    A zombie holds nothing any more, whenever it was started.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = text.rpartition(")")[2].split()
    return "zombie" if state == "Z" else fields[18]
