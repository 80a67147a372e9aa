"""Machine instructions of the hot path's steps, counted by callgrind: the same on a busy machine as on a quiet one.

Each step is counted for N calls and for 2 N; the difference is what N calls take, without what leads up to them. Run as
a program, under valgrind, it is what is counted.
"""

import ctypes
import gc
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks import micro
from benchmarks.compiled import NotCompiled, compiled
from benchmarks.events import KINDS

CALLS: Final = 100
_WARM = 50
_SHOWN = re.compile(
    r"^desc: Trigger: Client Request: (?P<name>[^\n]+)$.*?^summary: (?P<count>\d+)", re.MULTILINE | re.DOTALL
)


class NotCounted(RuntimeError):
    """Instructions cannot be counted here: the message says what is missing."""


def counted() -> dict[str, int]:
    """Instructions a call of every step of every kind of event.

    Raises:
        NotCounted: valgrind, its headers or a C compiler are missing, or the run failed.
    """
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        raise NotCounted("valgrind is not installed")
    try:
        requests = compiled("callgrind.c", "-shared", "-fPIC", output="callgrind.so")
    except NotCompiled as error:
        raise NotCounted(f"callgrind's requests cannot be compiled: {error}") from error
    with tempfile.TemporaryDirectory(prefix="typed-pubsub-bench-") as directory:
        out = Path(directory, "out")
        command = [valgrind, "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}"]
        command += [sys.executable, "-m", "benchmarks.instructions", str(requests)]
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
        if done.returncode:
            raise NotCounted(f"valgrind ended with {done.returncode}: {done.stderr[-1_000:]}")
        counts = dict(_read(Path(directory)))
    names = [name for name in counts if f"{name}, twice" in counts]
    return {name: round((counts[f"{name}, twice"] - counts[name]) / CALLS) for name in names}


def _read(directory: Path) -> list[tuple[str, int]]:
    # Each dump is a file of its own, numbered in their order; the last one, of the program's end, has no name.
    dumps = sorted(directory.glob("out.*"), key=lambda path: int(path.suffix[1:]))
    found = (_SHOWN.search(path.read_text()) for path in dumps)
    return [(match["name"], int(match["count"])) for match in found if match is not None]


def main() -> None:
    """What is counted."""
    requests = ctypes.CDLL(sys.argv[1])
    for kind in KINDS:
        for name, step in micro.paths(kind).items():
            for _ in range(_WARM):
                step()
            gc.collect()
            gc.disable()
            for calls, suffix in ((CALLS, ""), (2 * CALLS, ", twice")):
                requests.begin()
                for _ in range(calls):
                    step()
                requests.end(f"{kind}: {name}{suffix}".encode())
            gc.enable()


if __name__ == "__main__":
    main()
