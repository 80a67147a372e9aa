"""Every error the library raises, and whose fault each one is.

    PubSubError
    ├── MisconfigurationException   a setting is missing or wrong                  (exit 2)
    ├── DefinitionError             an event or a route is declared wrongly        (exit 2; a TypeError too)
    ├── SchemaError                 a schema, or a body to learn one from, cannot be made use of   (exit 2)
    ├── EventError                  this event cannot be written or read           (a ValueError too)
    ├── PublishFailed               the broker did not confirm in time, or no queue took the event
    └── BrokerError                 the world outside
        ├── ConnectFailed           no connection at start within CONNECT_TIMEOUT  (exit 3)
        ├── TooManyFaults           MAX_FAULTS faults in a row, nothing settled    (exit 4)
        └── TopologyRefused         the broker refused an exchange, queue or binding (exit 10)

``exit_code`` is what the command line faces return for the error; 1 where the table names none.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


class PubSubError(Exception):
    """Root of everything that typed_pubsub raises on purpose."""

    exit_code: ClassVar[int] = 1


class MisconfigurationException(PubSubError):
    """Settings are missing or wrong; the message names every one of them.

    ``settings``: what is wrong with each, by its name, where the error is of settings' values.
    """

    exit_code = 2

    def __init__(self, text: str, settings: Mapping[str, str] | None = None) -> None:
        """``text`` tells all of them in one sentence."""
        super().__init__(text)
        self.settings = dict(settings or {})


class DefinitionError(PubSubError, TypeError):
    """An event class, a registry entry or a route is declared wrongly: found at import or at start-up."""

    exit_code = 2


class SchemaError(PubSubError, ValueError):
    """A schema file or a schema cannot be made use of, or a body is none to learn a schema from.

    ``path`` is where: the file, or ``$.path`` from the top of the schema (or of the body); the text begins with it.
    ``others`` are what else is wrong, where more was found at once.
    """

    exit_code = 2

    def __init__(self, path: str, problem: str, others: Sequence["SchemaError"] = ()) -> None:
        """``problem`` is one sentence without the path, which is put before it."""
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem
        self.others = tuple(others)

    @property
    def all(self) -> tuple["SchemaError", ...]:
        """This one and the others."""
        return (self, *self.others)


class EventError(PubSubError, ValueError):
    """An event that cannot be written, or a body that does not fit its model.

    ``routing_key`` is the key it was meant for; the text names the ``$.path``, what was expected and what came.
    """

    def __init__(self, routing_key: str, problem: str) -> None:
        """``problem`` is one sentence without the routing key, which is put before it."""
        super().__init__(f"{routing_key}: {problem}")
        self.routing_key = routing_key
        self.problem = problem


class PublishFailed(PubSubError):
    """Not every event was confirmed within its deadline, or no queue took one and UNROUTABLE is ``"raise"``.

    Nothing is hidden: ``confirmed`` counts the events that the broker took and routed; ``unroutable``, ``unknown``
    (written but not confirmed: the broker may or may not have them) and ``unsent`` (never written) list the others as
    (index in the order given, event id). Publishing an unknown event again under the same ``event_id`` is safe.
    """

    def __init__(
        self,
        reason: str,
        *,
        confirmed: int = 0,
        unroutable: Sequence[tuple[int, str]] = (),
        unknown: Sequence[tuple[int, str]] = (),
        unsent: Sequence[tuple[int, str]] = (),
    ) -> None:
        """``reason`` says what went wrong; the counts are appended to it."""
        counts = f"{confirmed} confirmed, {len(unroutable)} unroutable, {len(unknown)} unknown, {len(unsent)} unsent"
        super().__init__(f"{reason} ({counts})")
        self.reason = reason
        self.confirmed = confirmed
        self.unroutable = list(unroutable)
        self.unknown = list(unknown)
        self.unsent = list(unsent)


class BrokerError(PubSubError):
    """The broker, or the road to it, failed."""


class ConnectFailed(BrokerError):
    """No connection at start within CONNECT_TIMEOUT."""

    exit_code = 3


class TooManyFaults(BrokerError):
    """MAX_FAULTS faults in a row without one settled delivery between them."""

    exit_code = 4


class TopologyRefused(BrokerError):
    """The broker refused an exchange, a queue or a binding that the service needs."""

    exit_code = 10
