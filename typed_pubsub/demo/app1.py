"""The service ``app1``, and the loader beside it: publishes what happened, and says on stdout how far it is."""

import json
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

from typed_pubsub import Event, Publisher, PubSubConfig, StructEvent
from typed_pubsub.demo.events import MatchesDeleted, MatchesPublished, ScoreChanged

#: How many events it publishes in all.
MATCHES, SCORES, TABLES = 180, 360, 60
EVENTS = MATCHES + SCORES + TABLES
#: Nothing goes out faster than this, so that there is something to see.
A_SECOND, HANDFUL = 150, 30


def main() -> None:
    config = PubSubConfig(broker_url=os.environ["DEMO_BROKER_URL"], exchange="events", source="app1")
    chance = random.Random(2024)  # noqa: S311  # the same story each time
    with Publisher(config) as publisher:
        confirmed = publisher.publish_many(paced(happenings(chance)))
        # The classic form of the replaced library: a routing key and a dict.
        for number, (source, table, rows) in enumerate(loads(chance)):
            body = {"source": source, "table": table, "rows": rows}
            publisher.publish_event(routing_key=f"etl.{source}.{table}.loaded", body=body)
            confirmed += 1
            progress(MATCHES + SCORES + number + 1)
            time.sleep(1 / A_SECOND)
    print(json.dumps({"confirmed": confirmed}), flush=True)


def happenings(chance: random.Random) -> Iterator[Event | StructEvent]:
    """Matches that are published, some withdrawn; and their scores, as they change."""
    kickoff = datetime(2024, 6, 14, 19, tzinfo=UTC)
    kinds = ["match"] * MATCHES + ["score"] * SCORES
    chance.shuffle(kinds)
    published: list[UUID] = []
    friendly = 60
    for number, kind in enumerate(kinds):
        if kind == "score":
            yield ScoreChanged(match_id=chance.randrange(40), home=chance.randrange(4), away=chance.randrange(4))
        elif published and number % 4 == 0:
            yield MatchesDeleted(match_id=published.pop())
        else:
            match_id = UUID(int=chance.getrandbits(128), version=4)
            published.append(match_id)
            title = chance.choice([None, "A against B", "C against D"])
            competition = "friendly" if number > friendly else chance.choice(["league", "cup"])
            if competition == "friendly":
                friendly = len(kinds)
            yield MatchesPublished(
                match_id=match_id,
                competition=competition,
                kickoff=kickoff + timedelta(hours=number),
                title="E against F" if competition == "friendly" else title,
            )


def loads(chance: random.Random) -> Iterator[tuple[str, str, int]]:
    for _ in range(TABLES):
        yield chance.choice(["shop", "crm"]), chance.choice(["orders", "people"]), chance.choice([0, 120, 4_500])


def paced(events: Iterator[Event | StructEvent]) -> Iterator[Event | StructEvent]:
    """The same events, a handful at a time: ``publish_many`` reads them lazily."""
    for number, event in enumerate(events, start=1):
        yield event
        if number % HANDFUL == 0:
            progress(number)
            time.sleep(HANDFUL / A_SECOND)


def progress(number: int) -> None:
    print(json.dumps({"published": number}), flush=True)


if __name__ == "__main__":
    main()
