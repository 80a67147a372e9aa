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

from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.entities import drop_idle_queues, end_sessions
from typed_pubsub.brokers.sqlite.messages import drop_expired

log = logging.getLogger("typed_pubsub.sqlite")

#: Seconds between two looks at the sessions of others: how soon a dead process's deliveries come again.
LOOK_EVERY = 0.5
#: Seconds that a keeper waits for others' transactions: longer would keep its own process waiting.
_PATIENCE = 2.0

_keepers: dict[str, "Keeper"] = {}
_keepers_lock = threading.Lock()


def _after_fork_in_child() -> None:
    global _keepers_lock  # noqa: PLW0603  # another thread of the parent may have held it
    _keepers_lock = threading.Lock()
    _keepers.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)


def keeper_of(path: str, lease: float) -> "Keeper":
    """The keeper of this process for a file."""
    with _keepers_lock:
        keeper = _keepers.get(path)
        if keeper is None:
            keeper = _keepers[path] = Keeper(path, lease)
        return keeper


class Keeper:
    """Renews the sessions of this process and ends those of dead ones: a thread that lives as long as they do."""

    def __init__(self, path: str, lease: float) -> None:
        """``lease``: seconds; the same in every process that uses the file."""
        self._path = path
        self._lease = lease
        self._pid = os.getpid()
        self._sessions: set[int] = set()
        # Reentrant: a connection that is dropped is forgotten by the garbage collector, in whatever thread that runs.
        self._lock = threading.RLock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._suspects: dict[int, float] = {}

    def open(self, database: Database) -> int:
        """A new session of this process; its number."""
        with database.transaction():
            values = (machine(), os.getpid(), started(os.getpid()), time.time() + self._lease)
            cursor = database.write("insert into session (machine, pid, started, expires) values (?, ?, ?, ?)", *values)
            session: int = cursor.lastrowid
        with self._lock:
            self._sessions.add(session)
            if self._thread is None:
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="typed_pubsub-sqlite", daemon=True)
                self._thread.start()
        return session

    def forget(self, session: int) -> None:
        """A session that has ended, or shall be ended by others; the thread ends with the last one."""
        if self._pid != os.getpid():
            return
        with self._lock:
            self._sessions.discard(session)
            if not self._sessions:
                self._wake.set()

    def _run(self) -> None:
        database: Database | None = None
        try:
            while True:
                try:
                    database = self._open_file(database)
                    if database is not None:
                        self.look(database)
                except Exception as error:  # noqa: BLE001  # whoever uses the file meets the same, and is told
                    log.debug("looking after %s: %s", self._path, error)
                if self._wake.wait(LOOK_EVERY):
                    return
        finally:
            if database is not None:
                database.close()
            self._ended()

    def _open_file(self, database: Database | None) -> Database | None:
        """The file that the path leads to now; None if it was taken away, which is no reason to make another."""
        if database is not None and not database.is_in_place():
            database.close()
            database = None
        if database is None and Path(self._path).exists():
            return Database(self._path, timeout=_PATIENCE)
        return database

    def _ended(self) -> None:
        with self._lock:
            self._thread = None
            if self._sessions:
                # One was opened while this thread was on its way out.
                self._wake.clear()
                self._thread = threading.Thread(target=self._run, name="typed_pubsub-sqlite", daemon=True)
                self._thread.start()

    def look(self, database: Database) -> None:
        """One round: renews, ends, expires, and gives room back to the disk."""
        now = time.time()
        rows = database.read("select id, machine, pid, started, expires from session")
        with self._lock:
            own = set(self._sessions)
        due = [(now + self._lease, row[0]) for row in rows if row[0] in own and row[4] < now + self._lease * 2 / 3]
        ended = self._ended_sessions([row for row in rows if row[0] not in own], now)
        if due or ended:
            with database.transaction():
                database.write_many("update session set expires = ? where id = ?", due)
                end_sessions(database, ended)
        if ended:
            log.info("%d connections to %s are gone: what they held is delivered again", len(ended), self._path)
        drop_expired(database, now)
        drop_idle_queues(database, now)
        database.shrink()

    def _ended_sessions(self, rows: list[tuple[int, str, int, str, float]], now: float) -> list[int]:
        dead = [session for session, its, pid, start, _ in rows if is_alive(its, pid, start) is False]
        # Expired in two looks running: after a machine has slept, the living renew theirs first.
        silent = {session: expires for session, *_, expires in rows if expires < now}
        dead += [session for session in silent if self._suspects.get(session) == silent[session]]
        self._suspects = silent
        return sorted(set(dead))


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
    return started(pid) == its_start


@functools.cache
def machine() -> str:
    """What tells this machine, since it was booted, and its set of process numbers (a container's) from any other."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {os.readlink('/proc/self/ns/pid')}"  # noqa: PTH115  # the link's text, no path
    except OSError:
        return socket.gethostname()


def started(pid: int) -> str:
    """When a process was started, in the kernel's ticks: its number may be another's by now. Empty if not to be had."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = text.rpartition(")")[2].split()
    # A zombie holds nothing any more.
    return "" if state == "Z" else fields[18]
