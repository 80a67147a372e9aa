"""What the embedded broker's file says of a queue, beyond what AMQP tells: read, nothing written."""

from pathlib import Path
from typing import Any

from typed_pubsub.brokers.sqlite.connection import Connection
from typed_pubsub.settings.sqlite_url import locate


def file_exists(url: str) -> bool:
    """Whether the file of a ``sqlite://`` URL is there; connecting would make it."""
    return Path(locate(url).path).exists()


def unacked(connection: Connection, queue: str) -> int:
    """How many messages of a queue are under way to a consumer."""
    sql = "select count(*) from message join queue on queue.id = message.queue where name = ? and session is not null"
    ((count,),) = connection.database.read(sql, queue)
    return int(count)


def bindings(connection: Connection, queue: str) -> list[tuple[str, str]]:
    """Exchange and key of each binding of a queue."""
    sql = (
        "select exchange, routing_key from binding join queue on queue.id = binding.queue where name = ?"
        " order by exchange, routing_key"
    )
    return [(exchange, key) for exchange, key in connection.database.read(sql, queue)]


def exchange(connection: Connection, name: str) -> tuple[str, bool, bool] | None:
    """Type, durable and auto-delete of an exchange, or None."""
    found: list[Any] = connection.database.read("select type, durable, auto_delete from exchange where name = ?", name)
    return None if not found else (found[0][0], bool(found[0][1]), bool(found[0][2]))
