"""Where several processes, or a reload, are asked for: this process becomes their supervisor. Quick to import."""

import functools
import sys
from collections.abc import Callable

import click

from typed_pubsub.cli.extras import require
from typed_pubsub.cli.logs import configure_logging
from typed_pubsub.cli.options import RunOptions
from typed_pubsub.handoff.signals import Wakeup
from typed_pubsub.ops.supervised import Supervised, from_environment
from typed_pubsub.ops.supervisor import Supervisor, Watcher


def supervise_if_asked(options: RunOptions, echo: Callable[[str], object] = click.echo) -> None:
    """Looks after subscribers that run this process's own command line, if the options ask for that; ends with them.

    Returns at once where they do not, or where this process is one of those subscribers.

    Args:
        options: see RunOptions.
        echo: prints a line to standard output.

    Raises:
        SystemExit: of the code for all: see ``ops.restarts``.
        MissingExtra: what watches files is not installed.
    """
    if (options.processes == 1 and not options.reload) or this_supervised() is not None:
        return
    wakeup = Wakeup()
    watcher = _watcher(wakeup) if options.reload else None
    configure_logging(options.log_level, options.log_format)
    supervisor = Supervisor(
        options.processes, on_read=lambda: echo("Starting subscriber..."), wakeup=wakeup, watcher=watcher
    )
    sys.exit(supervisor.run())


@functools.cache
def this_supervised() -> Supervised | None:
    """This process's supervision, None where it has no supervisor."""
    return from_environment()


def _watcher(wakeup: Wakeup) -> Watcher:
    require("watchfiles", "reload")
    from typed_pubsub.ops.reload import FileWatcher

    return FileWatcher(wakeup.now)
