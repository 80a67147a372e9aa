"""``typed-pubsub health``: quick with ``--file``, because a probe runs it every few seconds."""

import sys
import time
from pathlib import Path
from typing import Any

import click
import msgspec

from typed_pubsub.cli.printing import format_option
from typed_pubsub.cli.service import Service, service_option, this_service_if_any
from typed_pubsub.ops.health import Health, judge_file


@click.command()
@service_option
@click.option(
    "--file",
    type=click.Path(path_type=Path),
    envvar="TYPED_PUBSUB_HEALTH_FILE",
    show_envvar=True,
    help="The health file; then the service is not imported. Default: HEALTH_FILE of the settings.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    default=5.0,
    show_default=True,
    envvar="TYPED_PUBSUB_HEALTH_TIMEOUT",
    show_envvar=True,
    help="Seconds for the broker's answer, where there is no health file to read.",
)
@format_option
def health(file: Path | None, timeout: float, form: str) -> None:
    """Tell whether the subscriber of a service works: exit code 0, or 1 with the reason.

    Without a health file only the broker is asked, for a consumer of the queue.

    \b
    typed-pubsub health --file /run/my_app/health.json
    typed-pubsub health -A my_app.pubsub:config
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    found = judge_file(file, time.time()) if file is not None else _judge_service(this_service_if_any(), timeout)
    click.echo(_as_json(found) if form == "json" else " ".join(str(found).split()))
    sys.exit(0 if found.ok else 1)


def _judge_service(service: Service | None, timeout: float) -> Health:
    if service is None:
        raise click.UsageError("Missing option '-A' / '--app', or '--file'.")
    from typed_pubsub.errors import MisconfigurationException
    from typed_pubsub.ops.consumers import judge_queue

    config = service.read_config()
    if config.health_file is not None:
        return judge_file(Path(config.health_file), time.time())
    if not config.queue_name:
        raise MisconfigurationException("health needs QUEUE_NAME, or HEALTH_FILE")
    return judge_queue(config.broker_url, config.queue_name, timeout)


def _as_json(found: Health) -> str:
    return msgspec.json.encode(_told(found)).decode()


def _told(found: Health) -> dict[str, Any]:
    told = {"healthy": found.ok, "summary": found.sentence, "problems": found.problems, "state": found.state}
    return {**told, "processes": [_told(one) for one in found.processes]} if found.processes else told
