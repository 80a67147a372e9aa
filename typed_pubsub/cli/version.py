"""``typed-pubsub version``: what to put into a bug report."""

import platform
from importlib import metadata

import click

from typed_pubsub.cli.printing import echo_json, format_option
from typed_pubsub.cli.service import service_option, this_service

PACKAGE = "typed-pubsub"
_SHOWN = ("amqp", "celery", "kombu", "msgspec", "pydantic", "click", "rich", "hypothesis", "redis")


def version_of(package: str) -> str | None:
    """The installed version of a package; None: it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def package_version() -> str:
    """The installed version of this package; "unknown" for a source tree that is not installed."""
    return version_of(PACKAGE) or "unknown"


@click.command()
@service_option
@click.option(
    "--broker", is_flag=True, show_envvar=True, help="Ask the event broker of the service for its version, too."
)
@format_option
def version(broker: bool, form: str) -> None:  # noqa: FBT001  # a flag
    """Print the versions of this package and of what it stands on.

    \b
    typed-pubsub version
    typed-pubsub version -A my_app.pubsub:config --broker --format json
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    found: dict[str, str | None] = {PACKAGE: package_version(), "python": platform.python_version()}
    found |= {name: version_of(name) for name in _SHOWN}
    found["platform"] = platform.platform()
    if broker:
        found["broker"] = _broker_version()
    if form == "json":
        echo_json(found)
        return
    for name, number in found.items():
        click.echo(f"{name} {number or 'not installed'}")


def _broker_version() -> str:
    config = this_service().read_config()
    from typed_pubsub.ops.connect import broker_version

    return broker_version(config.broker_url)
