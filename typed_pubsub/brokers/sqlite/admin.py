"""The methods of a channel that declare, bind and delete: each one transaction, with ``amqp.Channel``'s signatures."""

import contextlib
from collections.abc import Generator, Mapping
from typing import Any

from amqp import spec
from amqp.exceptions import ChannelError, PreconditionFailed, RecoverableConnectionError
from amqp.protocol import queue_declare_ok_t

from typed_pubsub.brokers.sqlite import entities, messages
from typed_pubsub.brokers.sqlite.database import GATE, Database
from typed_pubsub.brokers.sqlite.ports import Owner


class AdminMethods:
    """Part of ``Channel``: exchanges, queues and bindings."""

    connection: Owner | None

    @property
    def owner(self) -> Owner:
        """The connection. Raises RecoverableConnectionError: the channel or the connection is closed."""
        if self.connection is None:
            msg = "the channel is closed"
            raise RecoverableConnectionError(msg)
        return self.connection

    def exchange_declare(
        self,
        exchange: str,
        type: str,  # noqa: A002  # py-amqp's name
        passive: bool = False,
        durable: bool = False,
        auto_delete: bool = True,
        nowait: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Makes an exchange of type direct, fanout or topic; ``arguments`` do nothing here."""
        with self._change() as db:
            entities.declare_exchange(db, exchange, type, durable=durable, auto_delete=auto_delete, passive=passive)

    def exchange_delete(self, exchange: str, if_unused: bool = False, nowait: bool = False) -> None:
        """Removes an exchange."""
        with self._change() as db:
            entities.delete_exchange(db, exchange, if_unused=if_unused)

    def exchange_bind(self, *args: Any, **kwargs: Any) -> None:
        """Raises PreconditionFailed: exchanges are bound to queues only."""
        self._refuse(PreconditionFailed("the embedded broker binds exchanges to queues only", spec.Exchange.Bind))

    exchange_unbind = exchange_bind

    def queue_declare(
        self,
        queue: str = "",
        passive: bool = False,
        durable: bool = False,
        exclusive: bool = False,
        auto_delete: bool = True,
        nowait: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> queue_declare_ok_t:
        """Makes a queue, or looks at it; its name, how many messages wait, how many consumers there are."""
        session = self.owner.exclusive_session() if exclusive else self.owner.current_session
        with self._change() as db:
            if passive:
                found = entities.the_queue(db, queue, spec.Queue.Declare)
                entities.refuse_others(found, session, spec.Queue.Declare)
            else:
                found = entities.declare_queue(
                    db,
                    queue,
                    durable=durable,
                    auto_delete=auto_delete,
                    owner=session if exclusive else None,
                    arguments=arguments or {},
                )
            return queue_declare_ok_t(found.name, *entities.count_queue(db, found.id))

    def queue_bind(
        self,
        queue: str,
        exchange: str = "",
        routing_key: str = "",
        nowait: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Binds a queue to an exchange."""
        with self._change() as db:
            entities.bind(db, self._queue(db, queue, spec.Queue.Bind).id, exchange, routing_key)

    def queue_unbind(
        self,
        queue: str,
        exchange: str,
        routing_key: str = "",
        nowait: bool = False,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Removes a binding."""
        with self._change() as db:
            entities.unbind(db, self._queue(db, queue, spec.Queue.Unbind).id, exchange, routing_key)

    def queue_purge(self, queue: str = "", nowait: bool = False) -> int:
        """Removes what waits in a queue; how many messages."""
        with self._change() as db:
            return messages.purge(db, self._queue(db, queue, spec.Queue.Purge).id)

    def queue_delete(
        self, queue: str = "", if_unused: bool = False, if_empty: bool = False, nowait: bool = False
    ) -> int:
        """Removes a queue; how many messages waited in it. One that is not there is none."""
        with self._change() as db:
            if entities.find_queue(db, queue) is None:
                return 0
            found = self._queue(db, queue, spec.Queue.Delete)
            waiting, consumers = entities.count_queue(db, found.id)
            if (if_unused and consumers) or (if_empty and waiting):
                why = "in use" if if_unused and consumers else "not empty"
                raise PreconditionFailed(f"queue {queue!r} {why}", spec.Queue.Delete)
            entities.delete_queue(db, found.id)
            return waiting

    def _queue(self, db: Database, name: str, method: tuple[int, int]) -> entities.Queue:
        found = entities.the_queue(db, name, method)
        entities.refuse_others(found, self.owner.current_session, method)
        return found

    @contextlib.contextmanager
    def _change(self) -> Generator[Database]:
        """One transaction on the channel; an error of the channel's own closes it, as a broker would.

        After a fault nobody knows what a broker has heard: the connection is closed, as a broken one is.
        """
        owner = self.owner
        with GATE:
            database = owner.database
            try:
                # What was published before is there by now, as on one road to a broker.
                owner.flush()
                with database.transaction():
                    yield database
            except ChannelError as error:
                self._refuse(error)
            except OSError as error:
                owner.break_off()
                # Not a TimeoutError, which whoever waits for events takes for silence.
                raise ConnectionResetError(str(error)) from error
            finally:
                owner.look_again()

    def _refuse(self, error: ChannelError) -> None:
        raise NotImplementedError
