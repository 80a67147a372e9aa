"""The methods of a channel that publish, and how it is told what became of what was published."""

import contextlib
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from amqp.exceptions import ChannelError, RecoverableConnectionError

from typed_pubsub.brokers.sqlite.admin import AdminMethods
from typed_pubsub.brokers.sqlite.database import GATE
from typed_pubsub.brokers.sqlite.outbox import Publication, publication
from typed_pubsub.brokers.sqlite.ports import Owner


class SendingMethods(AdminMethods):
    """Part of ``Channel``: publications, confirms, returns."""

    def __init__(self, connection: Owner) -> None:
        """Not in confirm mode."""
        self.connection = connection
        self.events: defaultdict[str, set[Callable[..., Any]]] = defaultdict(set)
        self._opened = 1
        self._published: int | None = None
        self._broken: ChannelError | None = None

    def confirm_select(self, nowait: bool = False) -> None:
        """From here on what is published is confirmed by ``events["basic_ack"]``."""
        if self._published is None:
            self._published = 0

    def basic_publish(  # py-amqp's signature
        self,
        msg: Any,
        exchange: str = "",
        routing_key: str = "",
        mandatory: bool = False,
        immediate: bool = False,
        timeout: float | None = None,  # the connection's own bounds it
        confirm_timeout: float | None = None,
    ) -> None:
        """Writes a message before it returns. Raises what a broker would answer later: no such exchange, no route."""
        with GATE:
            put = self._put(msg, exchange, routing_key, mandatory=mandatory)
            try:
                self.owner.flush()
            except BaseException as error:
                # The caller knows that it was not published, so nothing may write it later.
                self.owner.drop(put)
                self._published = put.number and put.number - 1
                if isinstance(error, TimeoutError):
                    # As py-amqp does: whoever waits for events takes a TimeoutError for silence.
                    raise RecoverableConnectionError(f"basic_publish: {error}") from error
                raise
            told = self.owner.take_events(self)
        with contextlib.ExitStack() as stack:
            # All of them, whatever the first raises.
            for tell in reversed(told):
                stack.callback(tell)

    def takes(self, publication: Publication) -> bool:
        """Whether a message was put on the channel as it is, not before an error that closed it."""
        return publication.opened == self._opened and self._broken is None

    def break_with(self, error: ChannelError) -> None:
        """Takes nothing more until its user has seen the error."""
        self._broken = error

    def fail(self) -> None:
        """Raises the error that broke the channel."""
        if self._broken is not None:
            self._refuse(self._broken)

    def confirm(self, number: int, *, taken: bool) -> None:
        """Tells that every message up to this one is in the file; not ``taken``: that a queue refused this one."""
        for callback in list(self.events["basic_ack" if taken else "basic_nack"]):
            callback(number, taken)

    def give_back(self, error: ChannelError, exchange: str, routing_key: str, message: Any) -> None:
        """Tells of a return. Raises the error where nobody has asked for returns, as py-amqp does."""
        handlers = list(self.events["basic_return"])
        if not handlers:
            raise error
        for callback in handlers:
            callback(error, exchange, routing_key, message)

    def _put(self, message: Any, exchange: str, routing_key: str, *, mandatory: bool) -> Publication:
        with GATE:
            number = None if self._published is None else self._published + 1
            position, where = (self._opened, number), (exchange, routing_key)
            put = publication(self, position, message, where, mandatory=mandatory)
            self.owner.put(put)
            self._published = number
            return put

    def _begin_anew(self) -> None:
        """The channel was closed and opened again: nothing of what was put on it counts."""
        self._opened += 1
        self._published = self._broken = None
