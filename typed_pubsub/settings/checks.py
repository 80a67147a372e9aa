"""Checks of single settings: each gives None, or a sentence with what was expected and what came."""

from collections.abc import Callable
from typing import Any, TypeAlias

from typed_pubsub.events.shapes import is_list
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.settings.sqlite_url import is_sqlite_url, locate

Check: TypeAlias = Callable[[Any], str | None]

#: Event brokers beside the embedded one; any other transport of kombu loses messages (docs/reliability.md).
EVENT_SCHEMES = ("amqp", "amqps", "pyamqp")
_MAX_NAME_BYTES = 255


def one_of(*choices: str) -> Check:
    """One of these texts."""
    return lambda value: None if value in choices else f"expected one of {', '.join(map(repr, choices))}, got {value!r}"


def optional(check: Check) -> Check:
    """None, or what ``check`` takes."""
    return lambda value: None if value is None else check(value)


def whole(least: int, most: int) -> Check:
    """A whole number in a range."""

    def check(value: Any) -> str | None:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return None
        return f"expected a whole number from {least} to {most}, got {value!r}"

    return check


def amqp_name(*, required: bool) -> Check:
    """The name of an exchange or queue: a text of at most 255 bytes."""

    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return f"expected a text, got {type(value).__name__}"
        if required and not value:
            return "is missing"
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
    if is_sqlite_url(value):
        return _sqlite_url(value)
    for part in value.split(";"):
        scheme = part.partition("://")[0] if "://" in part else ""
        if scheme not in EVENT_SCHEMES:
            known = ", ".join(f"{name}://" for name in EVENT_SCHEMES)
            return (
                f"expected {known} or sqlite:///, got {scheme + '://' if scheme else 'no scheme'}: the event broker is "
                "RabbitMQ, or the embedded one on a file, because kombu's other transports lose messages or bindings "
                "(Celery's own broker may be any)"
            )
    return None


def _sqlite_url(value: str) -> str | None:
    try:
        locate(value)
    except ValueError as error:
        return str(error)
    return None


def positive(value: Any) -> str | None:
    """A number of seconds above 0."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return None
    return f"expected a number of seconds above 0, got {value!r}"


def boolean(value: Any) -> str | None:
    """True or False; no truthy stand-ins, which come from misread environments ("False" is true)."""
    return None if isinstance(value, bool) else f"expected True or False, got {value!r}"


def text(value: Any) -> str | None:
    """A text that is not empty."""
    return None if isinstance(value, str) and value else f"expected a text, got {value!r}"


def names(value: Any) -> str | None:
    """A list of dotted module names."""
    if is_list(value) and all(isinstance(name, str) for name in value):
        return None
    return f"expected a list of module names, got {value!r}"


def mapping(value: Any) -> str | None:
    """A TaskMapping, a list of rows, or a dotted path to either; the rows are read when the subscriber is made."""
    if isinstance(value, TaskMapping | str) or is_list(value):
        return None
    return f"expected a TaskMapping, a list of rows or a dotted path, got {type(value).__name__}"


def callable_or_path(value: Any) -> str | None:
    """A callable, or a dotted path to one."""
    if callable(value) or (isinstance(value, str) and value):
        return None
    return f"expected a callable or a dotted path, got {type(value).__name__}"
