"""Checks of single settings: each gives None, or a sentence with what was expected and what came."""

from collections.abc import Callable
from typing import Any, TypeAlias

from typed_pubsub.events.shapes import is_list
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.settings import amqp_url
from typed_pubsub.settings.sqlite_url import is_sqlite_url, locate

Check: TypeAlias = Callable[[Any], str | None]

#: Event brokers beside the embedded one; any other transport of kombu loses messages (docs/reliability.md).
EVENT_SCHEMES = ("amqp", "amqps", "pyamqp")
# Those that people come with; any other is not repeated.
_FOREIGN_SCHEMES = ("http", "https", "kafka", "memory", "nats", "redis", "rediss", "sentinel", "sqs")
_MAX_NAME_BYTES = 255
_URL = "a URL"


def one_of(*choices: str) -> Check:
    """One of these texts."""
    named = ", ".join(map(repr, choices))
    return lambda value: None if value in choices else f"expected one of {named}, got {_shown(value)}"


def optional(check: Check) -> Check:
    """None, or what ``check`` takes."""
    return lambda value: None if value is None else check(value)


def whole(least: int, most: int) -> Check:
    """A whole number in a range."""

    def check(value: Any) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return None
        return f"expected a whole number from {least} to {most}, got {_shown(value)}"

    return check


def amqp_name(*, required: bool) -> Check:
    """The name of an exchange or queue: a text of at most 255 bytes."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return f"expected a text, got {type(value).__name__}"
        if required and not value:
            return "is missing"
        if _has_secret(value):
            return f"expected a name, got {_URL}"
        if len(value.encode(errors="replace")) > _MAX_NAME_BYTES or not value.isprintable():
            return f"expected a printable name of at most {_MAX_NAME_BYTES} bytes"
        return None

    return check


def broker_url(value: Any) -> str | None:
    """The URL of an event broker, or several separated by ``;``. The text never repeats the URL: it has a password."""
    if not isinstance(value, str):
        return f"expected a URL, got {type(value).__name__}"
    if not value:
        return "is missing"
    parts = [value] if is_sqlite_url(value) else value.split(";")
    return next((problem for part in parts if (problem := _host_url(part)) is not None), None)


def _host_url(url: str) -> str | None:
    try:
        if is_sqlite_url(url):
            locate(url)
        elif url.partition("://")[0] in EVENT_SCHEMES and "://" in url:
            amqp_url.split(url)
        else:
            return _foreign(url)
    except ValueError as error:
        return str(error)
    return None


def _foreign(url: str) -> str:
    known = ", ".join(f"{name}://" for name in EVENT_SCHEMES)
    scheme, separator, _ = url.partition("://")
    # Where there is none, what stands in its place may be a part of the password.
    got = f"{scheme}://" if separator and scheme in _FOREIGN_SCHEMES else "none of them"
    return (
        f"expected {known} or sqlite:///, got {got}: the event broker is RabbitMQ, or the embedded one on a file, "
        "because kombu's other transports lose messages or bindings (Celery's own broker may be any)"
    )


def positive(value: Any) -> str | None:
    """A number of seconds above 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return None
    return f"expected a number of seconds above 0, got {_shown(value)}"


def boolean(value: Any) -> str | None:
    """True or False; no truthy stand-ins, which come from misread environments ("False" is true)."""
    return None if isinstance(value, bool) else f"expected True or False, got {_shown(value)}"


def text(value: Any) -> str | None:
    """A text that is not empty."""
    return (
        None if isinstance(value, str) and value and not _has_secret(value) else f"expected a text, got {_shown(value)}"
    )


def names(value: Any) -> str | None:
    """A list of dotted module names."""
    if is_list(value) and all(isinstance(name, str) and not _has_secret(name) for name in value):
        return None
    return f"expected a list of module names, got {_shown(value)}"


def mapping(value: Any) -> str | None:
    """A TaskMapping, a list of rows, or a dotted path to either; the rows are read when the subscriber is made."""
    if (isinstance(value, TaskMapping | str) or is_list(value)) and not _has_secret(value):
        return None
    return f"expected a TaskMapping, a list of rows or a dotted path, got {_kind(value)}"


def callable_or_path(value: Any) -> str | None:
    """A callable, or a dotted path to one."""
    if callable(value) or (isinstance(value, str) and value and not _has_secret(value)):
        return None
    return f"expected a callable or a dotted path, got {_kind(value)}"


def _has_secret(value: Any) -> bool:
    """Whether it is a broker's URL that somebody has put under another setting: the first five go by position."""
    return isinstance(value, str) and "@" in value.partition("://")[2]


def _shown(value: Any) -> str:
    shown = repr(value)
    return _URL if _has_secret(shown) else shown


def _kind(value: Any) -> str:
    return _URL if _has_secret(value) else type(value).__name__
