"""Which service a command is for: ``-A`` under ``typed-pubsub``, the app's own settings under Flask and Django."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from typed_pubsub.config import PubSubConfig

C = TypeVar("C", bound=Callable[..., Any])

_APP = "typed_pubsub.app"


@dataclass(frozen=True, slots=True)
class Service:
    """A service: ``read_config`` gives its settings, ``before_batch`` is the framework's (see Subscriber).

    ``name`` is how it is told of.
    """

    read_config: "Callable[[], PubSubConfig]"
    before_batch: Callable[[], None] | None = None
    name: str = "this app"


def service_option(command: C) -> C:
    """Adds ``-A`` to a command, which asks ``this_service`` for what it says; frameworks take it away again."""
    return click.option(
        "-A",
        "--app",
        metavar="MODULE:OBJECT",
        envvar="TYPED_PUBSUB_APP",
        show_envvar=True,
        expose_value=False,
        callback=_remember,
        help="A PubSubConfig, an object with PUBSUB_ settings (a module too), or a function that gives one of these.",
    )(command)


def this_service() -> Service:
    """The service of the command that runs now.

    Raises:
        click.UsageError: nobody has said which.
    """
    service = this_service_if_any()
    if service is None:
        raise click.UsageError("Missing option '-A' / '--app'.", click.get_current_context())
    return service


def this_service_if_any() -> Service | None:
    """The service of the command that runs now, None where nobody has said which."""
    context = click.get_current_context()
    given = context.find_object(Service)
    if given is not None:
        return given
    path = context.meta.get(_APP)
    if path is None:
        return None
    # What `health --file` does not need is imported by those who do.
    from typed_pubsub.cli.target import read_target

    return Service(lambda: read_target(path), name=str(path))


def _remember(context: click.Context, _option: click.Parameter, value: str | None) -> None:
    # As Celery's, it may stand before the subcommand: what the subcommand has of its own wins.
    if value is not None:
        context.meta[_APP] = value
