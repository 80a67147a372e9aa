"""The events of the demo: what the service ``app1`` and its loader publish."""

from uuid import UUID

from pydantic import AwareDatetime, Field

from typed_pubsub.events import Event, StructEvent


class MatchesPublished(Event, routing_key="app1.matches.published"):
    """A match stands on the site."""

    match_id: UUID
    competition: str
    kickoff: AwareDatetime
    title: str | None = None


class MatchesDeleted(Event, routing_key="app1.matches.deleted"):
    """A match was taken off the site."""

    match_id: UUID
    reason: str = "withdrawn"


class TableLoaded(Event, routing_key="etl.{source}.{table}.loaded"):
    """The loader has filled a table; source and table are words of the routing key too."""

    source: str
    table: str
    rows: int = Field(ge=0)


class ScoreChanged(StructEvent, routing_key="app1.scores.changed"):
    """The score of a running match: many a second, so a msgspec Struct."""

    match_id: int
    home: int = 0
    away: int = 0
