"""When a task is due and when it expires, in the form in which Celery writes both."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from typed_pubsub.tasks.watch import NotOwnError


def due(countdown: Any, eta: Any, now: datetime, zone: tzinfo) -> str | None:
    """The header ``eta``.

    Raises:
        NotOwnError: it takes more than plain numbers and datetimes.
    """
    if countdown is not None:
        _check_seconds(countdown)
    if countdown:
        return _after(countdown, now, zone)
    return eta.isoformat() if eta is not None else None


def expiry(expires: Any, now: datetime, zone: tzinfo) -> tuple[str, str]:
    """The header ``expires``, and the property ``expiration`` in milliseconds.

    Raises:
        NotOwnError: it takes more than plain numbers and datetimes, or is in the past.
    """
    if type(expires) is not datetime:
        _check_seconds(expires)
        return _after(expires, now, zone), str(int(expires * 1000))
    # Without an offset it is UTC to Celery too.
    aware = expires.replace(tzinfo=UTC) if expires.tzinfo is None else expires
    left = (aware - now).total_seconds()
    if left < 0:
        raise NotOwnError
    return expires.isoformat(), str(int(left * 1000))


def _after(seconds: float, now: datetime, zone: tzinfo) -> str:
    return (now + timedelta(seconds=seconds)).astimezone(zone).isoformat()


def _check_seconds(value: Any) -> None:
    """Celery refuses some of the negative, and warns of others."""
    if type(value) not in {int, float} or value < 0:
        raise NotOwnError
