"""Which Python files have changed: for ``--reload``. Needs watchfiles."""

import logging
import site
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from watchfiles import PythonFilter, watch

log = logging.getLogger("typed_pubsub.supervisor")

# Milliseconds.
_LOOK_EVERY = 500


class FileWatcher:
    """Watches the Python files below some directories, in a thread of its own."""

    def __init__(self, wake: Callable[[], None]) -> None:
        """``wake`` is called when a file has changed."""
        self._wake = wake
        self._directories: list[Path] = []
        self._changed: list[str] = []
        self._stop = threading.Event()

    def watch(self, directories: Iterable[Path]) -> None:
        """Watches these too, and what is below them."""
        known = outermost([*self._directories, *directories])
        if known != self._directories:
            self.stop()
            self._directories, self._stop = known, threading.Event()
            arguments = (known, self._stop)
            threading.Thread(target=self._run, args=arguments, name="typed_pubsub-reload", daemon=True).start()

    def changes(self) -> list[str]:
        """The files that have changed since it was last asked."""
        changed, self._changed = self._changed, []
        return list(dict.fromkeys(changed))

    def stop(self) -> None:
        """Watches no more."""
        self._stop.set()

    def _run(self, directories: list[Path], stop: threading.Event) -> None:
        told = False
        found = watch(
            *directories,
            watch_filter=PythonFilter(),
            stop_event=stop,
            rust_timeout=_LOOK_EVERY,
            yield_on_timeout=True,
            raise_interrupt=False,
        )
        for changes in found:
            if not told:
                log.info("watching %s for changes", ", ".join(map(str, directories)))
                told = True
            if changes and not stop.is_set():
                self._changed += sorted(path for _, path in changes)
                self._wake()


def outermost(directories: Iterable[Path]) -> list[Path]:
    """Those of the directories that are below no other, each once, in order."""
    each = sorted({directory.resolve() for directory in directories})
    return [one for one in each if not any(parent in each for parent in one.parents)]


def imported_roots() -> list[Path]:
    """The directories that this process has imported code from: of a package its own; nothing that is installed."""
    installed = [Path(place).resolve() for place in (sysconfig.get_path("stdlib"), *site.getsitepackages())]
    roots = {root for name, module in list(sys.modules.items()) if (root := _root(name, module)) is not None}
    return sorted(root for root in roots if not any(root.is_relative_to(place) for place in installed))


def _root(name: str, module: object) -> Path | None:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return None
    above = name.count(".") + (Path(file).name == "__init__.py")
    parents = Path(file).resolve().parents
    return parents[min(max(above - 1, 0), len(parents) - 1)]
