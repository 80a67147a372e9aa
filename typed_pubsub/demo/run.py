"""The demo from its first line to its exit code."""

import signal
from types import FrameType

from typed_pubsub.demo.screen import Screen
from typed_pubsub.demo.story import DemoFailed, tell

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(BaseException):
    """Somebody pressed Ctrl-C, or asked the process to end."""


def main() -> int:
    """Tells the story; the exit code: 0 if it adds up."""
    screen = Screen()
    for number in _SIGNALS:
        signal.signal(number, stop)
    try:
        return show(screen)
    except DemoFailed as error:
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
    screen.hint(
        "Next, in a clone (README.md, 'Quick start', has the other two terminals):\n"
        "    typed-pubsub subscribe -A examples.quickstart.mailer:config"
    )
    return 0 if tally.adds_up else 1


def stop(number: int, _frame: FrameType | None) -> None:
    # Tidying up takes a second; no further signal shall interrupt it.
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    raise Stopped(number)
