"""C sources of the benchmark, compiled when they are needed, where compiler and headers are there."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

BUILD = Path("build/benchmarks")
_SOURCES = Path(__file__).parent


class NotCompiled(RuntimeError):
    """There is no compiler, or the header of a library is missing: the message says which."""


def compiled(source: str, *options: str, output: str) -> Path:
    """The file made of a source under ``benchmarks/``.

    Raises:
        NotCompiled: it cannot be made here.
    """
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise NotCompiled("no C compiler")
    BUILD.mkdir(parents=True, exist_ok=True)
    made = BUILD / output
    command = [compiler, "-O2", "-Wall", "-o", str(made), str(_SOURCES / source), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotCompiled(next((line for line in done.stderr.splitlines() if "error" in line), done.stderr))
    return made.resolve()


@cache
def c_client() -> Path:
    """The C client, which needs librabbitmq (Debian: ``librabbitmq-dev``)."""
    return compiled("peers/client.c", "-lrabbitmq", output="client")
