"""Writes the JSON Schemas of the demo's events under ``schemas/``: ``python -m examples.write_schemas``."""

from pathlib import Path

from typed_pubsub.demo import events
from typed_pubsub.events import EventClass, default_registry
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, path_of, schema_of

ROOT = Path(__file__).parents[1]


def demo_events() -> list[EventClass]:
    return [event for event in default_registry if event.__module__ == events.__name__]


def main() -> None:
    for event in demo_events():
        path = ROOT / "schemas" / path_of(meta_of(event))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(canonical(schema_of(event)), encoding="utf-8")


if __name__ == "__main__":
    main()
