"""How long ``typed-pubsub schema check`` takes for 500 event types: ``python -m benchmarks.contracts``."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, Field

from typed_pubsub.events import Event, Registry
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, path_of, schema_of
from typed_pubsub.schema.files import SchemaFile, read_files
from typed_pubsub.schema.gate import check

COUNT = 500


class Line(BaseModel):
    sku: str
    amount: int = Field(ge=1)
    note: str | None = None


def event(number: int, **more: Any) -> Any:
    """One of the 500: ten fields, a list of models among them, and what ``more`` names."""
    members: dict[str, Any] = {
        "order": int,
        "customer": str,
        "at": AwareDatetime,
        "lines": list[Line],
        "tags": set[str],
        "labels": dict[str, str],
        "total": float,
        "paid": bool,
        "shop": str | None,
        "source": str,
        **more,
    }
    defaults = dict.fromkeys(more)
    namespace = {"__module__": __name__, "__annotations__": members, **defaults}
    keywords = {"routing_key": f"shop.n{number}.happened", "registry": Registry()}
    made: Any = type(Event)
    return made(f"Happened{number}", (Event,), namespace, **keywords)


def committed(directory: Path, events: list[Any]) -> list[SchemaFile]:
    for one in events:
        path = directory / path_of(meta_of(one))
        path.parent.mkdir()
        path.write_text(canonical(schema_of(one)))
    return read_files(directory)


def timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = act()
    return time.perf_counter() - begun, found


def main() -> None:
    events = [event(number) for number in range(COUNT)]
    changed = [event(number, extra=int | None) for number in range(COUNT)]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        committed(directory, events)
        reading, files = timed(lambda: read_files(directory))
        same, found = timed(lambda: check(events, files))
        assert found == []
        differing, found = timed(lambda: check(changed, files))
        assert [one.kind for one in found] == ["changed"] * COUNT
    print(
        f"{COUNT} event types of 10 fields: files read in {reading:.2f} s, held against the same events in {same:.2f} s"
    )
    print(f"and against {COUNT} that all changed compatibly, in both directions, in {differing:.2f} s")


if __name__ == "__main__":
    main()
