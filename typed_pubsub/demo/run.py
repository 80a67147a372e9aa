"""The demo from its first line to its exit code."""

from typed_pubsub.demo.screen import Screen
from typed_pubsub.demo.stopping import Stopped, stop_on_signals
from typed_pubsub.demo.story import DemoFailed, tell


def main() -> int:
    """Tells the story; the exit code: 0 if it adds up."""
    screen = Screen()
    stop_on_signals()
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
