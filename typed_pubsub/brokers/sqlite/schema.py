"""The tables of a broker's file. A change of them is another ``FORMAT``."""

#: "tpps": tells our files from any other program's (the header's application id).
APPLICATION_ID = 0x74707073
FORMAT = 1

# Ids are never used twice (autoincrement): a late acknowledgement finds its own message or none.
_TABLES = (
    """create table session (
        id integer primary key autoincrement,
        machine text not null, pid integer not null, started text not null,
        expires real not null)""",
    """create table exchange (
        name text primary key, type text not null, durable integer not null, auto_delete integer not null
        ) without rowid""",
    """create table queue (
        id integer primary key autoincrement,
        name text not null unique, durable integer not null, auto_delete integer not null, arguments text not null,
        owner integer references session (id) on delete cascade,
        delivery_limit integer, max_length integer, ttl real, expires real,
        dead_letter_exchange text, dead_letter_key text,
        used real not null)""",
    """create table binding (
        exchange text not null references exchange (name) on delete cascade, routing_key text not null,
        queue integer not null references queue (id) on delete cascade,
        primary key (exchange, routing_key, queue)) without rowid""",
    """create table consumer (
        session integer not null references session (id) on delete cascade, tag text not null,
        queue integer not null references queue (id) on delete cascade, exclusive integer not null,
        primary key (session, tag)) without rowid""",
    """create table message (
        id integer primary key autoincrement,
        queue integer not null references queue (id) on delete cascade,
        session integer references session (id) on delete set null,
        deliveries integer not null default 0,
        expires real,
        exchange text not null, routing_key text not null, properties blob not null, body blob not null)""",
    "create table topology (version integer not null)",
)

_INDEXES = (
    "create index message_ready on message (queue, session, id)",
    "create index message_session on message (session) where session is not null",
    "create index message_expires on message (expires) where expires is not null",
    "create index binding_queue on binding (queue)",
    "create index consumer_queue on consumer (queue)",
    "create index queue_owner on queue (owner) where owner is not null",
)

# Whoever caches where messages go asks whether this number is still the same.
_TRIGGERS = tuple(
    f"create trigger {table}_{event} after {event} on {table} begin update topology set version = version + 1; end"  # noqa: S608
    for table in ("exchange", "queue", "binding")
    for event in ("insert", "delete")
)

SCHEMA: tuple[str, ...] = (*_TABLES, *_INDEXES, *_TRIGGERS, "insert into topology values (1)")
