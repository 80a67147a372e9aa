"""Both brokers of a service, looked at one after the other."""

from collections.abc import Iterator

from typed_pubsub.brokers.addresses import Address, event_addresses
from typed_pubsub.brokers.advice import CELERY_SETTING
from typed_pubsub.brokers.event_broker import EventBroker, masked
from typed_pubsub.brokers.topology import dead_letter_queue
from typed_pubsub.config import PubSubConfig
from typed_pubsub.ops.doctor.amqp import Asked, look_at_broker
from typed_pubsub.ops.doctor.clock import look_at_clock
from typed_pubsub.ops.doctor.embedded import look_at_file, look_inside
from typed_pubsub.ops.doctor.lines import Examined, Line, advice, ok
from typed_pubsub.ops.doctor.network import look_at_network
from typed_pubsub.ops.doctor.redis import look_at_redis
from typed_pubsub.settings.sqlite_url import is_sqlite_url, locate
from typed_pubsub.tasks.survey import AppBroker

_MANAGEMENT = {False: ("http", 15_672), True: ("https", 15_671)}


def examine(config: PubSubConfig, timeout: float, management: str | None = None) -> Iterator[Examined]:
    """The event broker, each host of it, and where the service subscribes Celery's broker.

    Args:
        config: of the service.
        timeout: seconds for each step.
        management: the URL of RabbitMQ's management API; None: where it is by default.

    Raises:
        MisconfigurationException: a URL cannot be read, or there is no Celery app.
    """
    asked = _asked(config)
    if is_sqlite_url(config.broker_url):
        path = locate(config.broker_url).path
        yield _embedded("event broker", path, asked, EventBroker(config.broker_url), timeout)
    else:
        for url, address in event_addresses(config.broker_url):
            lines = _reached(address, EventBroker(url), asked, timeout)
            if _is_connected(lines):
                lines.append(look_at_clock(management or _management(address), min(timeout, 2.0)))
            yield Examined("event broker", masked(url), _is_connected(lines), tuple(lines))
    if config.get_celery_app is not None and config.task_mapping is not None and config.queue_name:
        yield _of_app(AppBroker(config.celery_app()), timeout)


def _asked(config: PubSubConfig) -> Asked:
    queue = config.queue_name
    queues = (queue, dead_letter_queue(queue)) if queue else ()
    return Asked(config.exchange, queues, queue or None, config.max_body_bytes, is_sqlite_url(config.broker_url))


def _of_app(broker: AppBroker, timeout: float) -> Examined:
    what, lines = "Celery's broker", list[Line]()
    is_embedded = broker.kind == "sqlite"
    asked = Asked(queues=broker.queues, embedded=is_embedded, setting=CELERY_SETTING, maker="the first task or worker")
    if is_embedded:
        return _embedded(what, broker.path, asked, broker, timeout)
    for address in broker.addresses():
        if broker.kind == "amqp":
            lines += _reached(address, broker, asked, timeout)
        else:
            lines += look_at_network(address, timeout)
            lines += look_at_redis(broker, timeout) if _is_well(lines) else ()
    if broker.kind == "other":
        lines.append(advice("broker", "this transport is not one that can be asked here: its answer is believed"))
        return Examined(what, broker.url, True, tuple(lines))  # noqa: FBT003
    return Examined(what, broker.url, _is_connected(lines), tuple(lines))


def _reached(address: Address, broker: EventBroker | AppBroker, asked: Asked, timeout: float) -> list[Line]:
    lines = [*look_at_network(address, timeout)]
    if _is_well(lines, fatal=("host", "port", "TLS")):
        lines.append(ok("account", f"user {address.user or 'guest'}, virtual host {address.vhost}"))
        lines += look_at_broker(broker.connect, asked, timeout)
    return lines


def _embedded(what: str, path: str, asked: Asked, broker: EventBroker | AppBroker, timeout: float) -> Examined:
    url = f"sqlite:///{path}"
    lines = [*look_at_file(path)]
    if any(line.verdict == "advice" and line.subject == "file" for line in lines):
        # Whoever connects makes the file: that is not ours to do.
        return Examined(what, url, True, tuple(lines))  # noqa: FBT003
    if _is_well(lines, fatal=("file",)):
        lines.append(look_inside(path, timeout))
        if _is_well(lines, fatal=("integrity",)):
            lines += look_at_broker(broker.connect, asked, timeout)
    return Examined(what, url, _is_connected(lines), tuple(lines))


def _is_well(lines: list[Line], fatal: tuple[str, ...] = ("host", "port")) -> bool:
    return not any(line.verdict == "problem" and line.subject in fatal for line in lines)


def _is_connected(lines: list[Line]) -> bool:
    return any(line.subject == "login" and line.verdict == "ok" for line in lines)


def _management(address: Address) -> str:
    scheme, port = _MANAGEMENT[address.tls is not None]
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{scheme}://{host}:{port}"
