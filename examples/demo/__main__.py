"""``python -m examples.demo``: the whole story, in about half a minute."""

import signal
import sys
from types import FrameType

try:
    import rich as _rich  # noqa: F401  # pyright: ignore[reportUnusedImport]  # the screen needs it
except ModuleNotFoundError:
    sys.exit("The demo shows itself with rich, which is not installed: pip install 'typed-pubsub[cli]'")

from examples.demo.screen import Screen
from examples.demo.story import DemoFailed, tell
from typed_pubsub.testing.nodes import NodeError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, or asked the process to end."""


def main() -> int:
    screen = Screen()
    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        return show(screen)
    except (DemoFailed, NodeError) as error:
        screen.trouble(str(error))
        return 1
    except Stopped as asked:
        screen.trouble("Stopped: no process and no file is left behind.")
        return 128 + int(asked.args[0])


def show(screen: Screen) -> int:
    screen.title("typed_pubsub: what one service publishes, another one's Celery worker executes")
    tally = tell(screen)
    screen.dead_letters(tally.dead_letters.values())
    screen.outcomes(tally.rows())
    screen.total(tally)
    screen.hint("Next: 'Quick start' in README.md. This story's mapping: examples/demo/query.py")
    return 0 if tally.adds_up else 1


def stop(number: int, _frame: FrameType | None) -> None:
    # Tidying up takes a second; no further signal shall interrupt it.
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(number)


if __name__ == "__main__":
    sys.exit(main())
