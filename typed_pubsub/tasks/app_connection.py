"""The connection of a Celery app to its broker: the app's own settings, and safe defaults where it has none."""

from collections.abc import Mapping
from typing import Any

from celery import Celery
from kombu.utils.url import parse_url

from typed_pubsub.brokers import tls
from typed_pubsub.brokers.event_broker import masked
from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.events.shapes import is_mapping


def app_connection(app: Celery, options: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """Describes the app's broker for kombu.

    Args:
        app: its settings are used as they are.
        options: transport options for what the app's own do not name.
        more: arguments of ``kombu.Connection``.

    Raises:
        MisconfigurationException: the URL, or one of several, cannot be read; its passwords are not repeated.
    """
    own: dict[str, Any] = app.conf.broker_transport_options or {}
    wanted = {name: value for name, value in (options or {}).items() if name not in own}
    url = _url(app)
    try:
        described = app.connection_for_write(transport_options=wanted, ssl=_redis_tls(app, url), **more)
        for host in described.alt:
            # kombu reads the others only when it comes to them.
            if "://" in host:
                parse_url(host)
    except (KeyError, TypeError, ValueError):
        problem = f"the Celery app's broker URL cannot be read, or names no transport: {masked(url)}"
    else:
        return described
    # Out here, so that no one finds the first error, which quotes the URL, as the context of this one.
    raise MisconfigurationException(problem)


def app_broker(app: Celery) -> str:
    """The URL of the app's broker, or several separated by ``;``, that may be logged: without passwords."""
    return masked(_url(app))


def app_tls(described: Any) -> Any:
    """TLS of the next AMQP connection: as the app says, or with our defaults where it only says *that* it is TLS.

    Args:
        described: the app's ``kombu.Connection``, before it connects.
    """
    said: Any = described.ssl
    if is_mapping(said):
        # A copy: kombu would keep the name of the first host in the app's own for all of them.
        return dict(said)
    return tls.checked(described.hostname) if said or described.transport_cls == "amqps" else False


def _redis_tls(app: Celery, url: str) -> dict[str, Any] | None:
    """For ``rediss://`` kombu's default is to check nothing; what the URL or the app says comes first."""
    if app.conf.broker_use_ssl or not all(host.startswith("rediss://") for host in url.split(";")):
        return None
    return {"ssl_cert_reqs": "required", "ssl_check_hostname": True}


def _url(app: Celery) -> str:
    """Several are separated by ``;``."""
    url: Any = app.conf.broker_write_url or ""
    return url if isinstance(url, str) else ";".join(map(str, url))
