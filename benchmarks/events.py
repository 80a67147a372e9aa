"""The event that everybody publishes and reads: 220 bytes of JSON."""

from collections.abc import Iterator
from uuid import UUID

from pydantic import AwareDatetime

from typed_pubsub import Event

BODY_BYTES = 220
EXCHANGE, KEY = "events", "bench.matches.published"


class BenchMatchPublished(Event, routing_key=KEY):
    """A match, as the demo has it, padded to its size by the title."""

    match_id: UUID
    competition: str
    kickoff: AwareDatetime
    title: str


def make_events(count: int) -> Iterator[BenchMatchPublished]:
    """Different events, made one by one."""
    body = (
        '{"match_id":"7d3f0f0a-53c5-4b4e-9a5e-0d7f3c0c1f11","competition":"league",'
        '"kickoff":"2026-03-08T18:00:00Z","title":""}'
    )
    model = BenchMatchPublished.model_validate_json(body)
    title = "x" * (BODY_BYTES - len(model.model_dump_json()))
    for number in range(count):
        yield BenchMatchPublished(
            match_id=UUID(int=number), competition=model.competition, kickoff=model.kickoff, title=title
        )
