"""A program beside this process that outlives it, whatever becomes of it, and tidies up after it."""

import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Final

# Reads process groups to keep an eye on; when its input ends, their maker is gone, and so shall they be.
_PROGRAM: Final = """
trap '' HUP INT TERM
groups=
while read -r verb group; do
    case $verb in
        watch) groups="$groups $group" ;;
        forget) groups=$(for g in $groups; do [ "$g" = "$group" ] || printf ' %s' "$g"; done) ;;
    esac
done
for g in $groups; do kill -s KILL -- "-$g" 2>/dev/null; done
for _ in 1 2 3 4 5 6 7 8 9; do rm -rf -- "$1" 2>/dev/null && exit 0; sleep 0.1; done
"""


# A Ctrl-C reaches every process of a session: this one too, until it has a session of its own. It begins with these
# held back, for as long as it does not ignore them.
_HELD: Final = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)


class Watchdog:
    """Kills the process groups it watches and removes a directory, when it is closed or its maker is gone."""

    def __init__(self, directory: Path) -> None:
        """Watches nothing yet."""
        held_before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
        try:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", _PROGRAM, "watchdog", directory],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held_before)

    def watch(self, group: int) -> None:
        """Keeps an eye on a process group."""
        self._tell("watch", group)

    def forget(self, group: int) -> None:
        """A process group has ended: its number may be another's soon."""
        self._tell("forget", group)

    def close(self) -> None:
        """Kills what is left and removes the directory, before it returns."""
        self._process.communicate()

    def _tell(self, verb: str, group: int) -> None:
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.write(f"{verb} {group}\n".encode())
                self._process.stdin.flush()
