"""Dead letters as text for people."""

import contextlib
import json
from typing import TYPE_CHECKING, Any

import click

from typed_pubsub.cli.durations import spell
from typed_pubsub.cli.printing import columns_of_terminal, echo_wrapped
from typed_pubsub.cli.tables import show_table
from typed_pubsub.texts import printable

if TYPE_CHECKING:
    from typed_pubsub.brokers.letters import Letter
    from typed_pubsub.ops.letters import Failing, Listing, Stats, Tried
    from typed_pubsub.ops.replay import Done

#: Letters in a list, where nobody says how many.
MOST = 100
_MOST_OF_BODY = 4_096
_BYTES_A_LINE = 16
# Columns from which on a list has event ids.
_WIDE = 110


def letters(count: int) -> str:
    """So many dead letters, in words."""
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


def show_listing(found: "Listing") -> None:
    """A table, and a line on what it leaves out."""
    if found.letters:
        # Where an id would be folded it is not read; the number names the letter too.
        ids = columns_of_terminal() >= _WIDE
        rows = [
            (
                str(line.position),
                _age(line.age),
                line.reason,
                line.routing_key,
                *([line.event_id] if ids else []),
                line.detail,
            )
            for line in found.letters
        ]
        show_table(("#", "age", "reason", "key", *(["event id"] if ids else []), "detail"), rows)
    said = f"{letters(found.count)} in {f'{found.queue}.dlq'!r}"
    if found.meant != found.count:
        said += f", {found.meant:,} of them meant"
    if found.meant > len(found.letters):
        said += f", {len(found.letters):,} shown: --limit shows more"
    click.echo(said, err=True)
    _say_missing(found.missing, found.others)


def show_stats(found: "Stats") -> None:
    """A table by reason and key."""
    if found.groups:
        rows = [
            (f"{group.count:,}", group.reason, group.routing_key, _age(group.oldest), _age(group.newest))
            for group in found.groups
        ]
        show_table(("count", "reason", "key", "oldest", "newest"), rows)
    said = f"{letters(found.count)} in {f'{found.queue}.dlq'!r}"
    click.echo(said if found.meant == found.count else f"{said}, {found.meant:,} of them meant", err=True)
    _say_missing(found.missing, found.others)


def show_letter(position: int, letter: "Letter", *, full: bool) -> None:
    """All of a dead letter, its body last."""
    from typed_pubsub.brokers.dead_letters import ORIGINAL

    when = "(nobody says when)" if letter.time is None else letter.time.isoformat(timespec="seconds")
    for name, value in (
        ("number", str(position)),
        ("reason", letter.reason),
        ("detail", letter.detail),
        ("key", letter.routing_key),
        ("exchange", letter.exchange),
        ("event id", letter.event_id),
        ("dead since", when),
        ("attempts", "" if letter.attempts is None else str(letter.attempts)),
        ("original", "not all of it is known: it was cut" if letter.original.cut else ""),
    ):
        if value:
            echo_wrapped(f"{name:<12}", value, indent=12)
    _show_values("headers", {name: value for name, value in letter.headers.items() if name != ORIGINAL})
    _show_values("properties", letter.properties)
    if letter.headers.get(ORIGINAL) is not None:
        _show_values("original headers", letter.original.headers)
        _show_values("original properties", letter.original.properties)
    click.echo(f"body, {len(letter.body):,} bytes")
    click.echo(_body(letter.body, full=full))


def show_tried(tried: "Tried") -> None:
    """What a replay would do."""
    dead, vain = _failing(tried.failing)
    click.echo(
        f"{letters(tried.tried)}: {tried.scheduled:,} would be scheduled, {tried.skipped:,} skipped, {dead:,} dead "
        f"letters again{f', {vain:,} scheduled in vain' if vain else ''}"
    )
    _show_failing(tried.failing)
    if tried.seen and not tried.tried:
        _say_none_meant(tried.queue, tried.seen)
    _say_missing(tried.missing)


def show_done(done: "Done", what: str) -> None:
    """What was replayed or dropped, and what is left and why."""
    click.echo(f"{what} {letters(done.done)} of queue {done.queue!r}")
    if done.none_meant:
        _say_none_meant(done.queue, done.seen)
    dead, vain = _failing(done.failing)
    if dead:
        click.echo(f"{dead:,} left, they would be dead letters again", err=True)
    if vain:
        click.echo(f"{vain:,} left, they would be scheduled in vain", err=True)
    _show_failing(done.failing)
    if done.refused:
        click.echo(f"ended here, the rest is left: {done.refused}", err=True)
    if done.later:
        click.echo(f"{letters(done.later)} left, dead since a moment after the start: run it again", err=True)
    if done.stopped:
        click.echo("ended as asked, the rest is left", err=True)
    _say_missing(done.missing)


def _failing(failing: "tuple[Failing, ...]") -> tuple[int, int]:
    """How many would be dead letters again, and how many be scheduled in vain."""
    from typed_pubsub.ops.dry_run import MISFIT

    vain = sum(each.count for each in failing if each.reason == MISFIT)
    return sum(each.count for each in failing) - vain, vain


def _show_failing(failing: "tuple[Failing, ...]") -> None:
    if failing:
        rows = [(f"{each.count:,}", each.reason, each.event_id, each.detail) for each in failing]
        show_table(("count", "reason", "such as", "detail"), rows)


def _say_none_meant(queue: str, seen: int) -> None:
    click.echo(
        f"{letters(seen)} in {f'{queue}.dlq'!r}, none matches what was asked for: 'dlq list' shows them", err=True
    )


def _say_missing(missing: int, others: int = 0) -> None:
    if missing:
        click.echo(f"{letters(missing)} more did not come: somebody else is reading this queue", err=True)
    elif others:
        click.echo("somebody else is reading this queue, and may hold more", err=True)


def _show_values(title: str, values: Any) -> None:
    from typed_pubsub.brokers.tables import as_json

    if values:
        click.echo(title)
    for name, value in as_json(values).items():
        text = printable(value) if isinstance(value, str) else json.dumps(value)
        echo_wrapped("", f"  {printable(name)}: {text}", indent=6)


def _body(body: bytes, *, full: bool) -> str:
    """JSON indented, other text with its control characters escaped, bytes as hexadecimal digits beside their text."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        kept = body if full else body[: _MOST_OF_BODY // 4]
        return "\n".join(map(_hex_line, range(0, len(kept), _BYTES_A_LINE), [kept] * len(kept))) + _rest(body, kept)
    with contextlib.suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    kept_text = text if full else text[:_MOST_OF_BODY]
    return printable(kept_text, keep="\n\t") + _rest(text, kept_text)


def _hex_line(at: int, body: bytes) -> str:
    part = body[at : at + _BYTES_A_LINE]
    text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)  # noqa: PLR2004  # what ASCII prints
    return f"{at:06x}  {part.hex(' '):<47}  {text}"


def _rest(whole: str | bytes, kept: str | bytes) -> str:
    return "" if len(kept) == len(whole) else f"\n... {len(whole) - len(kept):,} more: --full"


def _age(seconds: float | None) -> str:
    return "?" if seconds is None else spell(max(seconds, 0.0))
