"""The command ``typed-pubsub`` inside of the test's process, which keeps nothing of what the command has imported."""

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from click.testing import CliRunner

from tests.schema.generated import emptied
from typed_pubsub.cli import main
from typed_pubsub.events import default_registry


def command(*arguments: str, cwd: Path, **env: str) -> tuple[int, list[str]]:
    """Exit code and lines, those on stderr among them; what is no error of the command is raised here."""
    given = dict.fromkeys(name for name in os.environ if name.startswith("TYPED_PUBSUB_"))
    with chdir(cwd), emptied(default_registry), _forgetting(cwd):
        done = CliRunner(env={**given, **env}).invoke(main, arguments, prog_name="typed-pubsub", catch_exceptions=False)
    return done.exit_code, done.output.splitlines()


@contextmanager
def _forgetting(directory: Path) -> Iterator[None]:
    """Modules of a directory are imported as they stand there now, and are gone afterwards."""
    path, writes_no_bytecode = list(sys.path), sys.dont_write_bytecode
    # A file that is edited within the second and keeps its size has the bytecode of before.
    sys.dont_write_bytecode = True
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:], sys.dont_write_bytecode = path, writes_no_bytecode
        for name, module in list(sys.modules.items()):
            if (file := getattr(module, "__file__", None)) is not None and Path(file).is_relative_to(directory):
                del sys.modules[name]
