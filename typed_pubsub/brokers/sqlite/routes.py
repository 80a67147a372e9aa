"""Where messages go: the queues behind an exchange and a routing key, as AMQP has it."""

from collections import defaultdict
from collections.abc import Callable

from typed_pubsub.brokers.sqlite.database import Database
from typed_pubsub.brokers.sqlite.entities import Queue, find_queue, queue_by_id
from typed_pubsub.events.keys import BindingTrie

_MAX_CACHED = 10_000


class Routes:
    """Finds queues; what was found is kept for as long as no exchange, queue or binding comes or goes."""

    def __init__(self, database: Database) -> None:
        """Nothing found yet."""
        self._db = database
        self._version = -1
        self._found: dict[tuple[str, str], tuple[Queue, ...] | None] = {}
        self._finders: dict[str, Callable[[str], set[int]] | None] = {}

    def refresh(self) -> bool:
        """To be called once a transaction, before ``find``; whether anything has come or gone."""
        ((version,),) = self._db.read("select version from topology")
        if version == self._version:
            return False
        self._version = version
        self._found.clear()
        self._finders.clear()
        return True

    def find(self, exchange: str, routing_key: str) -> tuple[Queue, ...] | None:
        """The queues that take a message, each once; None if there is no such exchange."""
        key = (exchange, routing_key)
        if key not in self._found:
            if len(self._found) >= _MAX_CACHED:
                self._found.clear()
            self._found[key] = self._look_up(exchange, routing_key)
        return self._found[key]

    def _look_up(self, exchange: str, routing_key: str) -> tuple[Queue, ...] | None:
        if not exchange:
            queue = find_queue(self._db, routing_key)
            return () if queue is None else (queue,)
        if exchange not in self._finders:
            self._finders[exchange] = self._finder(exchange)
        find = self._finders[exchange]
        if find is None:
            return None
        queues = (queue_by_id(self._db, number) for number in sorted(find(routing_key)))
        return tuple(queue for queue in queues if queue is not None)

    def _finder(self, exchange: str) -> Callable[[str], set[int]] | None:
        kinds = self._db.read("select type from exchange where name = ?", exchange)
        if not kinds:
            return None
        bindings: list[tuple[str, int]] = self._db.read(
            "select routing_key, queue from binding where exchange = ?", exchange
        )
        if kinds[0][0] == "fanout":
            queues = {queue for _, queue in bindings}
            return lambda _routing_key: queues
        if kinds[0][0] == "direct":
            by_key: defaultdict[str, set[int]] = defaultdict(set)
            for key, queue in bindings:
                by_key[key].add(queue)
            return lambda routing_key: by_key.get(routing_key, set())
        trie: BindingTrie[int] = BindingTrie()
        for key, queue in bindings:
            trie.add(key, queue)
        return lambda routing_key: set(trie.find(routing_key))
