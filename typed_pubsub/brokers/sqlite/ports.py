"""What a channel needs of its connection."""

from collections.abc import Callable
from typing import Any, Protocol

from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.outbox import Publication, Sender
from typed_pubsub.brokers.sqlite.routes import Routes


class Owner(Protocol):
    """What a channel needs of its connection."""

    client: Any
    channels: dict[int, Any]

    @property
    def connected(self) -> bool:
        """Whether it is open."""
        ...

    @property
    def database(self) -> Database:
        """The open file."""
        ...

    @property
    def routes(self) -> Routes:
        """Where messages go."""
        ...

    @property
    def current_session(self) -> int | None:
        """Its session, if it has one already."""
        ...

    def session(self) -> int:
        """Its session, opened if need be."""
        ...

    def exclusive_session(self) -> int:
        """Its session, for what shall be its alone."""
        ...

    def require_session(self, database: Database) -> None:
        """Raises ConnectionResetError: the session was ended by others."""
        ...

    def break_off(self) -> None:
        """Closes the connection after a fault."""
        ...

    def look_again(self) -> None:
        """Something has changed that the file does not tell."""
        ...

    def put(self, publication: Publication) -> None:
        """Takes a message, to be written at the next ``flush``."""
        ...

    def drop(self, publication: Publication) -> None:
        """Forgets a message that could not be written."""
        ...

    def flush(self) -> None:
        """Writes what was put."""
        ...

    def take_events(self, channel: Sender) -> list[Callable[[], None]]:
        """What a channel is to be told, taken out of turn."""
        ...
