"""The child's side of a supervisor: which of several processes this one is, and that it ends with its supervisor.

A pair of sockets joins the two. The child tells how far it has got; when it reads the end of the stream, it is to
drain and end: the supervisor asks for that, or it is gone, however it went. No signal is used for it, so that one that
goes to all processes at once (Ctrl-C, systemd) is not a second one.
"""

import os
import socket
import threading
from collections.abc import Callable
from typing import Literal

import msgspec

#: The environment's name of what a supervisor tells its child.
ENVIRONMENT = "TYPED_PUBSUB_SUPERVISED"


class Place(msgspec.Struct, frozen=True):
    """Which process of how many, from 1, the number of its socket, and whether it ``tells`` what all of them do."""

    number: int
    of: int
    socket: int
    tells: bool


class Told(msgspec.Struct, frozen=True):
    """How far a child has got: ``begun``, when it takes signals, or ``read``, when it has read its settings.

    ``roots`` are the directories that its code was imported from.
    """

    state: Literal["begun", "read"]
    drain_timeout: float = 0.0
    health_file: str | None = None
    roots: tuple[str, ...] = ()


class Supervised:
    """This process, where it has a supervisor."""

    def __init__(self, place: Place) -> None:
        """Takes the socket over: no child of this process is to have it."""
        self.place = place
        self._socket = socket.socket(fileno=place.socket)
        self._socket.set_inheritable(False)

    def tell(self, told: Told) -> None:
        """Tells the supervisor, if there is one still."""
        try:
            self._socket.sendall(msgspec.json.encode(told) + b"\n")
        except OSError:
            return

    def when_asked_to_end(self, end: Callable[[], None]) -> None:
        """Calls ``end``, in a thread of its own, once the supervisor wants that, or is gone."""

        def wait() -> None:
            try:
                while self._socket.recv(1):
                    pass
            except OSError:
                pass
            end()

        threading.Thread(target=wait, name="typed_pubsub-supervised", daemon=True).start()


def from_environment() -> Supervised | None:
    """This process's supervision; None: it has no supervisor. What it starts itself has none either."""
    told = os.environ.pop(ENVIRONMENT, None)
    return None if told is None else Supervised(msgspec.json.decode(told, type=Place))
