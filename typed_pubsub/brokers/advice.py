"""What to look at when a broker cannot be reached."""

import socket

from amqp.exceptions import AccessRefused, NotAllowed

from typed_pubsub.brokers.connection import describe
from typed_pubsub.brokers.transport import NoAnswer

#: Celery's setting, as ``setting`` below.
CELERY_SETTING = "Celery's broker_url"

# The first that fits: no answer is a timeout too.
_ADVICE: tuple[tuple[type[BaseException], str], ...] = (
    (AccessRefused, "user name or password of {} are wrong"),
    (NotAllowed, "the virtual host of {} does not exist, or this user may not use it"),
    (socket.gaierror, "the host of {} is not known here"),
    (ConnectionRefusedError, "is the broker running, and is this its port?"),
    (NoAnswer, "it takes connections but does not answer: is it overloaded, or is this another service's port?"),
    (TimeoutError, "is this the host, and does a firewall let it through?"),
    (BaseException, "'typed-pubsub doctor' looks closer"),
)


def advice(error: BaseException, setting: str = "BROKER_URL") -> str:
    """A clause on what to look at when a connection to the broker of ``setting`` was refused with ``error``."""
    return next(told for kind, told in _ADVICE if isinstance(error, kind)).format(setting)


def advised(error: BaseException, setting: str = "BROKER_URL") -> str:
    """The fault of a connection that was refused, and what to look at: one line, which holds no secret."""
    return f"{describe(error).rstrip('.')}; {advice(error, setting)}"
