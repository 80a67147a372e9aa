"""``typed-pubsub dlq``: what could not be handled, looked at, tried again, put back or thrown away."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from typed_pubsub.cli import dlq_shown as shown
from typed_pubsub.cli.asking import confirm, until_asked
from typed_pubsub.cli.dlq_options import wanted_options
from typed_pubsub.cli.failing import INTERRUPTED
from typed_pubsub.cli.printing import echo_json, format_option, progress
from typed_pubsub.cli.service import service_option, this_service

if TYPE_CHECKING:
    from typed_pubsub.config import PubSubConfig
    from typed_pubsub.ops.letters import Wanted
    from typed_pubsub.ops.replay import Done


@click.group()
def dlq() -> None:
    """Look at the dead letters of a service, replay them when their cause is mended, or drop them.

    A queue's dead letters are in QUEUE.dlq. Looking takes none away, and keeps their order.
    """


@dlq.command("list")
@service_option
@wanted_options
@format_option
def list_(form: str, **which: Any) -> None:
    """List dead letters: number, age, reason, key, event id and what was wrong.

    Without --limit the first 100.

    \b
    typed-pubsub dlq list -A my_app.pubsub:config
    typed-pubsub dlq list -A my_app.pubsub:config --reason mapping_error --key 'shop.#' --newer-than 2h
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.ops.letters import list_letters

    config, anyway = _config(), which["anyway"]
    found = list_letters(config, _wanted(which | {"limit": None}), most=which["limit"] or shown.MOST, anyway=anyway)
    if form == "json":
        echo_json(found)
    elif found is None:
        _say_no_queue(config)
    else:
        shown.show_listing(found)


@dlq.command()
@click.argument("which", metavar="N|EVENT_ID")
@click.option("--full", is_flag=True, show_envvar=True, help="The whole body, also beyond 4 KB.")
@click.option("--anyway", is_flag=True, show_envvar=True, help="As of 'dlq list'.")
@service_option
@format_option
def show(*, which: str, full: bool, anyway: bool, form: str) -> None:
    """Show one dead letter, its body too: by its number in 'dlq list', or by its event id.

    \b
    typed-pubsub dlq show -A my_app.pubsub:config 3
    typed-pubsub dlq show -A my_app.pubsub:config 0b0e4a3e-4d5c-4a0c-8f6f-3f6f8f1f2a01 --full
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.ops.letters import find_letter, queue_of
    from typed_pubsub.ops.replay import as_record

    config = _config()
    found = find_letter(config, which, anyway=anyway)
    if found is None:
        raise click.BadParameter(f"no dead letter {which!r} of queue {queue_of(config)!r}", param_hint="N|EVENT_ID")
    if form == "json":
        echo_json({"position": found[0], **as_record(found[1])})
    else:
        shown.show_letter(*found, full=full)


@dlq.command()
@service_option
@wanted_options
@format_option
def stats(form: str, **which: Any) -> None:
    """Count dead letters by reason and key, with the ages of oldest and newest.

    \b
    typed-pubsub dlq stats -A my_app.pubsub:config
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.ops.letters import count_letters

    config = _config()
    found = count_letters(config, _wanted(which), anyway=which["anyway"])
    if form == "json":
        echo_json(found)
    elif found is None:
        _say_no_queue(config)
    else:
        shown.show_stats(found)


@dlq.command()
@service_option
@wanted_options
@click.option(
    "--dry-run", is_flag=True, show_envvar=True, help="Only tell what would become of them with the code at hand."
)
@click.option("--only-passing", is_flag=True, show_envvar=True, help="Only those that would pass a dry run.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    show_envvar=True,
    help="At most so many a second.",
)
@click.option("--yes", is_flag=True, show_envvar=True, help="Do not ask.")
@format_option
def replay(
    *,
    dry_run: bool,
    only_passing: bool,
    rate: float | None,
    yes: bool,
    form: str,
    **which: Any,
) -> None:
    """Put dead letters on their queue again, and no other queue: as the events they were, under the same ids.

    One at a time, each taken out when the broker has confirmed its copy: if this is killed, at most one comes twice.
    Exit code 1 if some are left. Ctrl-C ends after the one in hand.

    \b
    typed-pubsub dlq replay -A my_app.pubsub:config --dry-run
    typed-pubsub dlq replay -A my_app.pubsub:config --reason mapping_error --rate 50
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.ops.dry_run import prepare_dry_run
    from typed_pubsub.ops.letters import queue_of, try_letters
    from typed_pubsub.ops.replay import replay as replay_letters

    config, wanted, anyway = _config(), _wanted(which), which["anyway"]
    passing = prepare_dry_run(config) if dry_run or only_passing else None
    if dry_run and passing is not None:
        with progress("tried", None) as advance:
            tried = try_letters(config, wanted, passing, advance=advance, anyway=anyway)
        if tried is None:
            _end_without_queue(config, form)
        echo_json(tried) if form == "json" else shown.show_tried(tried)
        sys.exit(1 if tried.failing else 0)
    count = _ask(
        config, wanted, "replay {} to queue " + repr(queue_of(config)) + "?", yes=yes, form=form, anyway=anyway
    )
    with until_asked() as stop, progress("replayed", count) as advance:
        done = replay_letters(config, wanted, stop, passing=passing, rate=rate, advance=advance, anyway=anyway)
    _end(done, "replayed", form, config)


@dlq.command()
@service_option
@wanted_options
@click.option(
    "--all", "everything", is_flag=True, show_envvar=True, help="All of them: needed where nothing says which."
)
@click.option(
    "--save",
    type=click.Path(dir_okay=False, path_type=Path),
    show_envvar=True,
    help="A file to which each is added, body too, before it is dropped: a line that 'replay' and 'schema infer' read.",
)
@click.option("--yes", is_flag=True, show_envvar=True, help="Do not ask.")
@format_option
def drop(*, everything: bool, save: Path | None, yes: bool, form: str, **which: Any) -> None:
    """Throw dead letters away for good.

    \b
    typed-pubsub dlq drop -A my_app.pubsub:config --reason unknown_event --save dropped.ndjson
    typed-pubsub dlq drop -A my_app.pubsub:config --older-than 30d
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    from typed_pubsub.ops.letters import queue_of
    from typed_pubsub.ops.replay import drop as drop_letters

    config, wanted, anyway = _config(), _wanted(which), which["anyway"]
    if wanted.is_all and not everything:
        raise click.UsageError("Say which: --reason, --key, --id, --older-than, --newer-than, --limit; or --all.")
    question = "drop {} of queue " + repr(queue_of(config)) + " for good?"
    count = _ask(config, wanted, question, yes=yes, form=form, anyway=anyway)
    with until_asked() as stop, progress("dropped", count) as advance:
        done = drop_letters(config, wanted, stop, save=save, advance=advance, anyway=anyway)
    _end(done, "dropped", form, config)


def _config() -> "PubSubConfig":
    return this_service().read_config()


def _wanted(which: dict[str, Any]) -> "Wanted":
    from typed_pubsub.ops.letters import Wanted

    return Wanted(**{name: value for name, value in which.items() if name != "anyway"})


def _ask(config: "PubSubConfig", wanted: "Wanted", question: str, *, yes: bool, form: str, anyway: bool) -> int | None:
    """How many are meant, None where it would cost a look at all of them and nobody has to be asked."""
    if yes and not wanted.is_all:
        return None
    from typed_pubsub.ops.letters import count_meant

    count = count_meant(config, wanted, anyway=anyway)
    if count is None:
        _end_without_queue(config, form)
    if count:
        confirm(question.format(shown.letters(count)), yes=yes)
    return count


def _say_no_queue(config: "PubSubConfig") -> None:
    from typed_pubsub.ops.letters import queue_of

    queue = queue_of(config)
    click.echo(f"there is no dead-letter queue {f'{queue}.dlq'!r}: no subscriber has declared it")


def _end_without_queue(config: "PubSubConfig", form: str) -> NoReturn:
    if form == "json":
        echo_json(None)
    else:
        _say_no_queue(config)
    sys.exit(0)


def _end(done: "Done | None", what: str, form: str, config: "PubSubConfig") -> NoReturn:
    if done is None:
        _end_without_queue(config, form)
    echo_json(done) if form == "json" else shown.show_done(done, what)
    if done.stopped:
        sys.exit(INTERRUPTED)
    sys.exit(1 if done.failing or done.refused or done.missing or done.later else 0)
