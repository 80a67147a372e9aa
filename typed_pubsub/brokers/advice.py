"""What to look at when a broker cannot be reached."""

import socket

from amqp.exceptions import AccessRefused, NotAllowed


def advice(error: BaseException) -> str:
    """A clause on what to look at when a connection to the event broker was refused with ``error``."""
    match error:
        case AccessRefused():
            return "user name or password of BROKER_URL are wrong"
        case NotAllowed():
            return "the virtual host of BROKER_URL does not exist, or this user may not use it"
        case socket.gaierror():
            return "the host of BROKER_URL is not known here"
        case ConnectionRefusedError():
            return "is the broker running, and is this its port?"
        case TimeoutError():
            return "is this the host, and does a firewall let it through?"
        case _:
            return "'typed-pubsub doctor' looks closer"
