"""``typed-pubsub tail``, ``record`` and ``replay``: events as they pass, on their way to a file and back."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from typed_pubsub.cli.asking import confirm, until_asked
from typed_pubsub.cli.durations import duration
from typed_pubsub.cli.keys import binding_key
from typed_pubsub.cli.printing import echo_json, format_option, progress
from typed_pubsub.cli.service import service_option, this_service

if TYPE_CHECKING:
    from typed_pubsub.ops.recordings import Recorded

C = TypeVar("C", bound=Callable[..., Any])

# Copies that wait for a terminal: beyond that the oldest are passed over.
_WAITING = 1_000


def _which_options(command: C) -> C:
    """Which events, how many, for how long."""
    key = click.option(
        "--key",
        "keys",
        multiple=True,
        type=binding_key,
        metavar="PATTERN",
        show_envvar=True,
        help="Binding key of the events wanted: * is one word, # any number. May be given more than once. Default: #.",
    )
    limit = click.option("--limit", type=click.IntRange(min=1), show_envvar=True, help="End after so many events.")
    span = click.option(
        "--for",
        "seconds",
        type=duration,
        metavar="DURATION",
        show_envvar=True,
        help="End after this time, such as 90s, 15m or 2h.",
    )
    return key(limit(span(command)))


@click.command()
@_which_options
@click.option(
    "--decode", is_flag=True, show_envvar=True, help="Show the bodies, read into the models bound to their keys."
)
@service_option
@format_option
def tail(keys: tuple[str, ...], limit: int | None, seconds: float | None, decode: bool, form: str) -> None:  # noqa: FBT001
    """Show the events that pass through the exchange, until Ctrl-C.

    It has a queue of its own: no subscriber misses an event. While it runs, an event that nobody else takes is not
    unroutable to its publisher. Where events come faster than they can be shown, some are passed over.

    \b
    typed-pubsub tail -A my_app.pubsub:config --key 'shop.orders.#' --decode
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.cli.watching import Shown
    from typed_pubsub.ops.streams import passing

    config = this_service().read_config()
    if decode:
        config.load_events()
    shown = Shown(form=form, decode=decode)
    with (
        until_asked() as stop,
        passing(config, keys or ("#",), stop, most=_WAITING, limit=limit, seconds=seconds) as batches,
    ):
        click.echo(f"watching {config.exchange!r} for {', '.join(keys or ('#',))}: Ctrl-C ends it", err=True)
        for batch in batches:
            for delivery in batch:
                click.echo(shown.lines(delivery, datetime.now(UTC)))


@click.command()
@click.argument("file", metavar="FILE|-", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@_which_options
@click.option("--append", is_flag=True, show_envvar=True, help="Write behind what FILE has already.")
@service_option
def record(
    file: Path, keys: tuple[str, ...], limit: int | None, seconds: float | None, append: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    """Record the events that pass through the exchange, one JSON object a line, until Ctrl-C.

    It has a queue of its own: no subscriber misses an event, and nothing is passed over. Each line has the routing key,
    the headers and the body as they came; 'typed-pubsub replay' publishes them again, 'schema infer' drafts a class.
    With - they go to standard output.

    \b
    typed-pubsub record -A my_app.pubsub:config orders.ndjson --key 'shop.orders.#' --for 10m
    typed-pubsub record -A my_app.pubsub:config - | jq .body
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.ops.recordings import write_line
    from typed_pubsub.ops.streams import passing

    config, where = this_service().read_config(), "standard output" if _is_dash(file) else str(file)
    count = 0
    with (
        until_asked() as stop,
        # The file only when there is something to write to it.
        passing(config, keys or ("#",), stop, limit=limit, seconds=seconds) as batches,
        _writing(file, append=append) as write,
        progress("recorded", limit) as advance,
    ):
        advance.say(f"recording {config.exchange!r} to {where}: Ctrl-C ends it")
        for batch in batches:
            write(b"".join(write_line(delivery, datetime.now(UTC)) for delivery in batch))
            count += len(batch)
            advance(len(batch))
    click.echo(f"recorded {count:,} event{'' if count == 1 else 's'} to {where}", err=_is_dash(file))


@click.command()
@click.argument("file", metavar="FILE|-", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--rate", type=click.FloatRange(min=0, min_open=True), show_envvar=True, help="Events a second, at most.")
@click.option(
    "--key",
    "pattern",
    type=binding_key,
    metavar="PATTERN",
    show_envvar=True,
    help="Only events whose key this binding key matches.",
)
@click.option("--new-ids", is_flag=True, show_envvar=True, help="Publish them as new events, with ids of their own.")
@click.option("--yes", is_flag=True, show_envvar=True, help="Do not ask.")
@service_option
@format_option
def replay(  # noqa: PLR0917  # its options
    file: Path, rate: float | None, pattern: str | None, new_ids: bool, yes: bool, form: str,  # noqa: FBT001
) -> None:  # fmt: skip
    """Publish recorded events again, to the exchange, each under its own key: every subscriber gets them.

    They keep their ids, so that a subscriber gives their tasks the ids they had. Dead letters are for 'dlq replay',
    which goes to one queue only; those that 'dlq drop --save' has written are recordings, too, and go to every one.
    With - they come from standard input, which is read to its end first.

    \b
    typed-pubsub replay -A my_app.pubsub:config orders.ndjson --rate 50
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.brokers.event_broker import masked
    from typed_pubsub.ops.connect import require_broker
    from typed_pubsub.ops.recordings import message_of
    from typed_pubsub.ops.streams import publish_again

    config = this_service().read_config()
    with _readable_twice(file) as lines:
        # A line that is none is found before anything is published.
        kinds = Counter(one.is_dead_letter for one in _recorded(file, lines, pattern))
        total = kinds.total()
        if total:
            require_broker(config)
            question = f"Publish {total:,} events to exchange {config.exchange!r} of {masked(config.broker_url)}?"
            if kinds[True]:
                question = f"{kinds[True]:,} of these were dead letters of one queue; all queues get them. {question}"
            confirm(question, yes=yes)
        with until_asked() as stop, progress("replayed", total) as advance:
            messages = (message_of(one, new_id=new_ids) for one in _recorded(file, lines, pattern))
            count = publish_again(config, messages, stop, rate=rate, advance=advance)
    if form == "json":
        echo_json({"replayed": count, "of": total})
    else:
        click.echo(f"replayed {count:,} of {total:,} events")
    if count < total:
        raise click.exceptions.Exit(1)


def _is_dash(file: Path) -> bool:
    return str(file) == "-"


@contextmanager
def _readable_twice(file: Path) -> Generator[IO[bytes]]:
    """The file, or standard input; what flows by, such as a pipe, is read to its end and kept meanwhile."""
    with click.open_file(str(file), "rb") as given:
        if given.seekable():
            yield given
            return
        with tempfile.TemporaryFile() as copy:
            shutil.copyfileobj(given, copy)
            yield copy


def _recorded(file: Path, lines: IO[bytes], pattern: str | None) -> "Iterator[Recorded]":
    from typed_pubsub.events.keys import matches
    from typed_pubsub.ops.recordings import read_lines

    lines.seek(0)
    for one in read_lines("standard input" if _is_dash(file) else str(file), lines):
        if pattern is None or matches(pattern, one.routing_key):
            yield one


@contextmanager
def _writing(file: Path, *, append: bool) -> Generator[Callable[[bytes], None]]:
    """What writes lines to the file, or to standard output."""
    if _is_dash(file):
        yield lambda lines: click.echo(lines, nl=False)
        return
    with _opened(file, append=append) as out:
        yield lambda lines: _write(out, lines, file)


def _opened(file: Path, *, append: bool) -> Any:
    try:
        # Unbuffered: what could not be written is not tried again when it is closed.
        return file.open("ab" if append else "xb", buffering=0)
    except FileExistsError as error:
        raise click.UsageError(f"{file} exists: --append writes behind what it has, or choose another name.") from error
    except OSError as error:
        raise click.UsageError(f"{file} cannot be written: {error.strerror}.") from error


def _write(out: Any, lines: bytes, file: Path) -> None:
    try:
        left = memoryview(lines)
        while left:
            left = left[out.write(left) :]
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}; what was recorded before is in it") from error
