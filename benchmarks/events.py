"""The events that everybody publishes and reads: the same JSON of 220 bytes, 1.5 KB or 20 KB, one id each.

Ids are numbers in the clothes of a UUID, so that whoever counts messages can tell how many different ones there are.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from pydantic import AwareDatetime, BaseModel

from typed_pubsub import Event, StructEvent

BODY_BYTES = 220
SIZES = (BODY_BYTES, 1_500, 20_000)
EXCHANGE, KEY, STRUCT_KEY = "events", "bench.matches.published", "bench.matches.changed"
#: Ids of events that are published to warm up begin here: beyond those that are counted.
WARM = 1 << 40

_FIXED = (
    '{"match_id":"00000000-0000-0000-0000-000000000000","competition":"league",'
    '"kickoff":"2026-03-08T18:00:00Z","title":""}'
)
_KICKOFF = datetime(2026, 3, 8, 18, tzinfo=UTC)


class BenchMatchPublished(Event, routing_key=KEY):
    """A match, as the demo has it, padded to its size by the title."""

    match_id: UUID
    competition: str
    kickoff: AwareDatetime
    title: str


class BenchMatchChanged(StructEvent, routing_key=STRUCT_KEY):
    """The same as a msgspec Struct."""

    match_id: UUID
    competition: str
    kickoff: datetime
    title: str


class PlainMatch(BaseModel):
    """The same for who does not use this library."""

    match_id: UUID
    competition: str
    kickoff: AwareDatetime
    title: str


KINDS = {"Event": BenchMatchPublished, "StructEvent": BenchMatchChanged}


def title_of(size: int) -> str:
    """What fills an event up to its size."""
    return "x" * (size - len(_FIXED))


def make_events(count: int, size: int = BODY_BYTES, first: int = 0) -> Iterator[BenchMatchPublished]:
    """Different events, made one by one."""
    title = title_of(size)
    for number in range(first, first + count):
        yield BenchMatchPublished(match_id=UUID(int=number), competition="league", kickoff=_KICKOFF, title=title)


def make_struct_events(count: int, size: int = BODY_BYTES, first: int = 0) -> Iterator[BenchMatchChanged]:
    """As ``make_events``."""
    title = title_of(size)
    for number in range(first, first + count):
        yield BenchMatchChanged(match_id=UUID(int=number), competition="league", kickoff=_KICKOFF, title=title)


def make_plain(count: int, size: int = BODY_BYTES, first: int = 0) -> Iterator[PlainMatch]:
    """As ``make_events``, without this library."""
    title = title_of(size)
    for number in range(first, first + count):
        yield PlainMatch(match_id=UUID(int=number), competition="league", kickoff=_KICKOFF, title=title)


def make(
    kind: str, count: int, size: int = BODY_BYTES, first: int = 0
) -> Iterator[BenchMatchPublished | BenchMatchChanged]:
    """Events of a kind, by its name."""
    return make_events(count, size, first) if kind == "Event" else make_struct_events(count, size, first)
