"""``typed-pubsub check``: what can be known of a service before its first message. Made for CI."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from typed_pubsub.cli.options import directory_option, timeout_option
from typed_pubsub.cli.printing import echo_json, echo_wrapped, findings_format_option
from typed_pubsub.cli.service import service_option, this_service

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}
_LEVELS = {"error": "error", "warning": "warning", "note": "notice"}
_SEVERITIES = ("error", "warning", "note")


def _known(_context: click.Context, _option: click.Parameter, ids: tuple[str, ...]) -> tuple[str, ...]:
    from typed_pubsub.ops.checks.rules import RULES

    for one in ids:
        if one.upper() not in RULES:
            raise click.BadParameter(f"{one!r} is the id of no finding: docs/checks.md lists them")
    return tuple(one.upper() for one in ids)


def _complete(_context: click.Context, _option: click.Parameter, begun: str) -> "list[CompletionItem]":
    from click.shell_completion import CompletionItem

    from typed_pubsub.ops.checks.rules import RULES

    return [CompletionItem(id_, help=rule.title) for id_, rule in RULES.items() if id_.startswith(begun.upper())]


@click.command()
@service_option
@directory_option("Where the schema files stand; where there is no such directory, contracts are not looked at.")
@click.option(
    "--run/--no-run",
    default=True,
    show_default=True,
    show_envvar=True,
    help="Try conditions and handlers with generated events. They are run, nothing is sent.",
)
@click.option("--broker", is_flag=True, show_envvar=True, help="Ask the event broker, too, what is there.")
@timeout_option("Seconds for connecting to the broker, and then for each answer.")
@click.option(
    "--fail-on",
    type=click.Choice(_SEVERITIES),
    default="error",
    show_default=True,
    show_envvar=True,
    help="The least severity that makes the exit code 1.",
)
@click.option(
    "--ignore",
    metavar="ID",
    multiple=True,
    callback=_known,
    shell_complete=_complete,
    show_envvar=True,
    help="The id of a finding that is not to be told; may be given more than once.",
)
@findings_format_option("TYPED_PUBSUB_CHECK_FORMAT")
def check(  # noqa: PLR0917  # its options
    directory: Path, run: bool, broker: bool, timeout: float, fail_on: str, ignore: tuple[str, ...], form: str,  # noqa: FBT001
) -> None:  # fmt: skip
    """Tell what is wrong with a service before its first message.

    Looks at settings, events, routes and the Celery app without connecting to anything, and tries each route with
    generated events. docs/checks.md has each finding by its id. Exit code 1 for an error, or what --fail-on says.

    \b
    typed-pubsub check -A my_app.pubsub:config
    typed-pubsub check -A my_app.settings --fail-on warning --ignore TP602 --format github
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    service = this_service()
    from typed_pubsub.ops.checks.service import Checked, Wanted
    from typed_pubsub.ops.checks.service import check as look

    wanted = Wanted(run, True, directory, timeout if broker else None, (click.ClickException,))  # noqa: FBT003
    # What the service prints as it is imported and tried is no result.
    with contextlib.redirect_stdout(sys.stderr):
        checked = look(service.read_config, wanted)
    told = tuple(one for one in checked.findings if one.id not in ignore)
    ignored = len(checked.findings) - len(told)
    shown = Checked(told, checked.events, checked.routes, checked.tried)
    _FORMS[form](shown, ignored)
    least = _SEVERITIES.index(fail_on)
    sys.exit(1 if any(_SEVERITIES.index(one.severity) <= least for one in told) else 0)


def _text(checked: Any, ignored: int) -> None:
    for one in checked.findings:
        echo_wrapped(one.severity, f" {one.id} {one.where}: {one.message}", colour=_COLOURS[one.severity], indent=2)
        at = "" if one.place is None else f"{one.place.file}:{one.place.line}: "
        echo_wrapped("  ", f"{at}{one.fix}", indent=2)
    click.echo(_summary(checked, ignored))


def _json(checked: Any, ignored: int) -> None:
    echo_json(
        {
            "findings": checked.findings,
            "ignored": ignored,
            "events": checked.events,
            "routes": checked.routes,
            "tried": checked.tried,
        }
    )


def _github(checked: Any, ignored: int) -> None:
    from typed_pubsub.cli.github import annotation

    for one in checked.findings:
        place = {} if one.place is None else {"file": one.place.file, "line": str(one.place.line)}
        told = f"{one.where}: {one.message}\n{one.fix}"
        click.echo(annotation(_LEVELS[one.severity], told, title=one.id, **place))
    click.echo(_summary(checked, ignored))


_FORMS = {"text": _text, "json": _json, "github": _github}


def _summary(checked: Any, ignored: int) -> str:
    counts = [
        f"{count} {severity}{'s' if count != 1 else ''}"
        for severity in _SEVERITIES
        if (count := sum(one.severity == severity for one in checked.findings))
    ]
    tried = f", {checked.tried:,} events tried" if checked.tried else ""
    hidden = f", {ignored} ignored" if ignored else ""
    looked = f"{_many(checked.events, 'event')}, {_many(checked.routes, 'route')}{tried}"
    return f"{looked}: {', '.join(counts) or 'nothing wrong'}{hidden}"


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' if count != 1 else ''}"
