"""SQLite's errors in the library's words: settings that are wrong, or faults that may pass."""

import errno
import os
import sqlite3
from pathlib import Path

from typed_pubsub.errors import MisconfigurationException

_UNWRITABLE = "cannot be written: this user may not write it, or its directory, where SQLite keeps two files beside it"


def refuse_unwritable(path: str) -> None:
    """SQLite opens such a file, and fails when it is to be written. Raises MisconfigurationException."""
    if os.path.exists(path) and not os.access(path, os.W_OK):  # noqa: PTH110  # any error is no
        raise _misconfigured(path, _why_not(path) or _UNWRITABLE)


def unusable(error: sqlite3.Error, path: str) -> Exception:
    """What to raise when the file cannot be opened: settings are wrong, or a fault that may pass."""
    code = code_of(error)
    if code == sqlite3.SQLITE_NOTADB:
        return _misconfigured(path, "is a file of something else: give the embedded broker a file of its own")
    if code == sqlite3.SQLITE_CORRUPT:
        return _misconfigured(path, "is damaged: move it away, and a new one is made")
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        problem = _why_not(path)
        if problem is not None:
            return _misconfigured(path, problem)
    return fault(error, path)


def _misconfigured(path: str, problem: str) -> MisconfigurationException:
    return MisconfigurationException(f"the embedded broker's file {path} {problem}")


def _why_not(path: str) -> str | None:
    """What is wrong with a path; None if nothing is that lasts (too many open files, say)."""
    file = Path(path)
    try:
        if file.is_dir():
            return "is a directory: name a file"
        if not file.parent.is_dir():
            return f"cannot be made: there is no directory {file.parent}"
        if os.statvfs(file.parent).f_flag & os.ST_RDONLY:
            return "cannot be written: its disk is read-only"
        if not os.access(file.parent, os.W_OK | os.X_OK) or (file.exists() and not os.access(file, os.W_OK)):
            return _UNWRITABLE
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    return None


def fault(error: sqlite3.Error, path: str) -> Exception:
    """What to raise for an error that may pass: always a fault of the connection (an OSError)."""
    code = code_of(error)
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return TimeoutError(f"{path} is locked by another process")
    if code == sqlite3.SQLITE_FULL:
        return OSError(errno.ENOSPC, "the disk is full", path)
    if code == sqlite3.SQLITE_READONLY:
        return OSError(errno.EROFS, "the file cannot be written any more", path)
    if isinstance(error, sqlite3.ProgrammingError):
        return ConnectionError(f"the connection to {path} is closed")
    return OSError(errno.EIO, f"SQLite failed: {error}", path)


def code_of(error: sqlite3.Error) -> int:
    """SQLite's primary result code; 0 for what the sqlite3 module itself raises."""
    # The low byte is the class of an extended code.
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
