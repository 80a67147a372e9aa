"""The embedded broker's file."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from typed_pubsub.brokers.connection import FAULTS
from typed_pubsub.brokers.survey import file_problem
from typed_pubsub.ops.doctor.lines import Line, advice, ok, problem

_MB = 1_000_000
_LITTLE = 100 * _MB


def look_at_file(path: str) -> Iterator[Line]:
    """Whether it is there, can be written, is sound, and has room. Never makes one."""
    file = Path(path)
    if not file.parent.is_dir():
        yield problem("file", f"there is no directory {file.parent}", "make it, or correct BROKER_URL")
        return
    if not os.access(file.parent, os.W_OK | os.X_OK):
        yield problem("file", f"this user may not write in {file.parent}", "SQLite keeps two files beside it: allow it")
        return
    free = shutil.disk_usage(file.parent).free
    told = f"{free // _MB:,} MB free"
    yield ok("disk", told) if free > _LITTLE else problem("disk", told, "make room: what cannot be written is refused")
    if not file.exists():
        yield advice("file", f"{path} is not there yet: the first publisher, subscriber or worker makes it")
        return
    if not os.access(file, os.W_OK):
        yield problem("file", f"this user may not write {path}", "change its owner or mode")
        return
    yield ok("file", f"{path} is there, {file.stat().st_size // 1000:,} kB")


def look_inside(path: str, timeout: float) -> Line:
    """SQLite's own check of the file."""
    try:
        found = file_problem(path, timeout)
    except FAULTS as error:
        return problem("integrity", f"not looked at: {error}", "who has it locked?")
    if found is None:
        return ok("integrity", "sound")
    return problem("integrity", found, "move the file away, and a new one is made; what was in it is lost")
