"""Mappings of many routes: the benchmark's own ones, and others beside them that other events want."""

from typing import Any, Literal, TypeAlias

from benchmarks import service
from typed_pubsub import StructEvent, TaskMapping

Shape: TypeAlias = Literal["exact", "template", "wildcard"]
SHAPES: tuple[Shape, ...] = ("exact", "template", "wildcard")


def mapping_of(routes: int, shape: str = "exact") -> TaskMapping:
    """The service's mapping and ``routes - 1`` more: for events of exact keys, of templates, or rows with wildcards.

    None of the others wants the benchmark's events, which is what a lookup has to find out.
    """
    mapping = service.mapping
    if shape == "wildcard":
        return mapping.add_legacy([_row(number) for number in range(1, routes)])
    make: Any = type(StructEvent)
    for number in range(1, routes):
        key = f"bench.other{number}.{{word}}.told" if shape == "template" else f"bench.other.told{number}"
        fields: dict[str, Any] = {"__annotations__": {"word": str}, "__module__": __name__}
        event = make(f"Other{number}", (StructEvent,), fields, routing_key=key)
        mapping.route(event).to(service.execute, _arguments)
    return mapping


def _arguments(event: Any, send: Any) -> Any:
    return send(event.word, title=event.word)


def _row(number: int) -> dict[str, Any]:
    return {
        "routing_key": f"bench.*.other{number}.#",
        "task": "bench.tasks.execute",
        "should_schedule": lambda routing_key, body: True,  # noqa: ARG005
        "get_args": lambda routing_key, body: ([], {}),  # noqa: ARG005
    }
