"""What the gate says of events and their committed files."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import AliasChoices, AwareDatetime, Field, FilePath, FutureDate, ImportString, NewPath

from typed_pubsub import upcast
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, path_of, schema_of
from typed_pubsub.schema.counterexamples import find_refused
from typed_pubsub.schema.files import SchemaFile, read_files
from typed_pubsub.schema.gate import Finding, Role, check
from typed_pubsub.schema.ignores import Ignore


class Listed(Event, routing_key="shop.{shop}.listed", registry=Registry()):
    """An article is on sale."""

    shop: str
    price: int


def listed(base: Any = Event, version: int = 1, registry: Registry | None = None, **members: Any) -> Any:
    """The event with other members: a type each, or a type and a default; None leaves one out."""
    given = {"shop": str, "price": int, **members}
    given = {name: one if isinstance(one, tuple) else (one,) for name, one in given.items() if one is not None}
    namespace: dict[str, Any] = {"__module__": __name__, "__doc__": Listed.__doc__}
    namespace["__annotations__"] = {name: one[0] for name, one in given.items()}
    namespace |= {name: one[1] for name, one in given.items() if len(one) > 1}
    registry = registry if registry is not None else Registry()
    keywords = {"routing_key": "shop.{shop}.listed", "version": version, "registry": registry}
    return type(base)("Listed", (base,), namespace, **keywords)


def committed(directory: Path, *events: Any) -> list[SchemaFile]:
    for event in events:
        path = directory / path_of(meta_of(event))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(canonical(schema_of(event)))
    return read_files(directory)


def told(findings: Sequence[Finding]) -> list[tuple[str, str, str, str | None]]:
    return [(one.kind, one.rule, one.path, one.side) for one in findings]


def test_what_is_as_committed_needs_no_word(tmp_path: Path) -> None:
    assert check([Listed], committed(tmp_path, Listed)) == []


def test_a_new_event_and_a_file_of_none_are_told(tmp_path: Path) -> None:
    assert told(check([Listed], [])) == [("new", "", "", None)]
    (orphan,) = check([], committed(tmp_path, Listed))
    assert (orphan.kind, orphan.key, orphan.version) == ("orphan", "shop.{shop}.listed", 1)


@pytest.mark.parametrize("base", [Event, StructEvent])
def test_a_compatible_change_is_told(tmp_path: Path, base: Any) -> None:
    files = committed(tmp_path, listed(base))
    (found,) = check([listed(base, title=(str | None, None))], files)
    assert (found.kind, found.message) == ("changed", "it differs from its schema file compatibly")


def test_a_change_of_words_is_no_change_of_the_contract(tmp_path: Path) -> None:
    class Reworded(Event, routing_key="shop.{shop}.listed", registry=Registry()):
        """Somebody sells something."""

        shop: str = Field(description="whose it is")
        price: int

    (found,) = check([Reworded], committed(tmp_path, Listed))
    assert (found.kind, found.message) == ("changed", "it differs from its schema file only in what is said to people")


RENAMED: list[tuple[Role, list[tuple[str, str, str, str | None]]]] = [
    ("publisher", [("incompatible", "required", "$.price", "publisher")]),
    ("consumer", [("incompatible", "required", "$.cost", "consumer")]),
    (
        "both",
        [("incompatible", "required", "$.price", "publisher"), ("incompatible", "required", "$.cost", "consumer")],
    ),
]


@pytest.mark.once
@pytest.mark.parametrize(("role", "expected"), RENAMED)
def test_a_renamed_member_breaks_both_sides_each_with_an_event_that_shows_it(
    tmp_path: Path, role: Role, expected: Any
) -> None:
    renamed = listed(price=None, cost=int)
    found = check([renamed], committed(tmp_path, Listed), role=role, search=find_refused)
    assert told(found) == expected
    for one in found:
        writer = renamed if one.side == "publisher" else Listed
        assert one.refused.value.keys() == ({"shop", "cost"} if writer is renamed else {"shop", "price"})
        assert meta_of(writer).codec.read(one.refused.body).shop == one.refused.routing_key.split(".")[1]


def test_a_rename_that_reads_both_names_breaks_publishers_only(tmp_path: Path) -> None:
    renamed = listed(price=(int, Field(validation_alias=AliasChoices("cost", "price"), serialization_alias="cost")))
    assert told(check([renamed], committed(tmp_path, Listed))) == [
        ("incompatible", "required", "$.price", "publisher"),
    ]


def test_an_event_of_a_removed_version_is_read_by_the_newest_as_it_stands(tmp_path: Path) -> None:
    files = committed(tmp_path, Listed, listed(version=2, price=None, cost=int))
    (found,) = check([listed(version=2, price=None, cost=int)], files, search=find_refused)
    assert (found.kind, found.version, found.rule, found.side) == ("incompatible", 1, "required", "consumer")
    assert check([listed(version=2, price=None, cost=(int, 0))], files[:1])[0].kind == "new"


def with_upcast(registry: Registry, step: Any) -> Any:
    """Version 2, with the step from the JSON of version 1."""
    newest = listed(version=2, registry=registry, price=None, cost=int)
    upcast.body(newest, version=1)(step)
    return newest


@pytest.mark.once
def test_an_upcast_reads_what_an_old_version_writes(tmp_path: Path) -> None:
    def v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
        return {"shop": body["shop"], "cost": body["price"]}

    newest = with_upcast(Registry(), v1_to_v2)
    files = committed(tmp_path, Listed, newest)
    assert check([newest], files, search=find_refused) == []
    (unproven,) = check([newest], files, search=None)
    assert (unproven.kind, unproven.version) == ("unproven", 1)
    assert check([newest], files, role="publisher", search=None) == []


def test_an_upcast_that_fails_for_some_events_is_found_by_trying(tmp_path: Path) -> None:
    def v1_to_v2(body: dict[str, Any]) -> dict[str, Any]:
        return {"shop": body["shop"], "cost": 100 // body["price"]}

    newest = with_upcast(Registry(), v1_to_v2)
    (found,) = check([newest], committed(tmp_path, Listed, newest), search=find_refused)
    assert (found.kind, found.version, found.rule, found.side) == ("incompatible", 1, "upcast", "consumer")
    assert found.refused.value["price"] == 0
    assert "v1_to_v2" in found.message
    assert "ZeroDivisionError" in found.message


def test_the_model_of_an_old_version_keeps_to_its_file(tmp_path: Path) -> None:
    registry = Registry()
    old = listed(registry=registry, price=(int, Field(ge=1)))
    newest = listed(version=2, registry=registry, price=None, cost=int)

    def v1_to_v2(event: Any) -> Any:
        return newest(shop=event.shop, cost=event.price)

    v1_to_v2.__annotations__ = {"event": old, "return": newest}
    upcast(v1_to_v2)
    files = committed(tmp_path, Listed, newest)
    found = check([newest], files, search=find_refused)
    assert told(found) == [("incompatible", "range", "$.price", "consumer")]
    # What is still published as version 1 is narrower, and still read.
    assert ("changed", "", "", None) in told(check([old, newest], files, role="publisher"))


def test_a_newer_file_than_the_code_is_told(tmp_path: Path) -> None:
    (found,) = check([Listed], committed(tmp_path, Listed, listed(version=2)))
    assert (found.kind, found.version) == ("newer", 2)


def test_a_datetime_without_an_offset_is_warned_of(tmp_path: Path) -> None:
    event = listed(at=datetime, seen=list[AwareDatetime], left=list[datetime])
    found = check([event], committed(tmp_path, event))
    assert told(found) == [("naive", "may-be-naive", "$.at", None), ("naive", "may-be-naive", "$.left", None)]


def test_a_warning_can_be_ignored_with_a_reason_and_hides_no_break(tmp_path: Path) -> None:
    event = listed(at=datetime, left=datetime)
    ignores = [Ignore("shop.{shop}.listed", "may-be-naive", "the clock is UTC", path="$.at")]
    found = check([event], committed(tmp_path, event), ignores=ignores)
    assert [(one.kind, one.path) for one in found] == [("ignored", "$.at"), ("naive", "$.left")]
    assert found[0].message.endswith("makes sure of one; ignored: the clock is UTC")
    stricter = check([listed(at=AwareDatetime, left=datetime)], committed(tmp_path, event), ignores=ignores)
    assert ("incompatible", "naive", "$.at", "consumer") in told(stricter)
    assert "unused" in {one.kind for one in stricter}


def test_what_is_new_or_changed_comes_with_the_text_of_its_file(tmp_path: Path) -> None:
    (new,) = check([Listed], [])
    files = committed(tmp_path, Listed)
    assert new.text == files[0].text
    wider = listed(title=(str | None, None))
    (changed,) = check([wider], files)
    assert changed.text == canonical(schema_of(wider))
    assert {one.text for one in check([listed(price=str)], files)} == {None}


def test_what_a_readers_clock_or_machine_decides_is_warned_of(tmp_path: Path) -> None:
    event = listed(due=FutureDate, files=list[FilePath], made=NewPath, zone=ZoneInfo, handler=ImportString)
    found = check([event], committed(tmp_path, event))
    assert [(one.kind, one.path, one.message.split()[2]) for one in found] == [
        ("local", "$.due", "clock"),
        ("local", "$.files", "machine"),
        ("local", "$.handler", "machine"),
        ("local", "$.made", "machine"),
        ("local", "$.zone", "machine"),
    ]


def test_what_is_ignored_with_a_reason_breaks_nothing(tmp_path: Path) -> None:
    renamed = listed(price=None, cost=int)
    files = committed(tmp_path, Listed)
    reason = "nobody reads it yet"
    key = "shop.{shop}.listed"
    ignores = [Ignore(key, "required", reason), Ignore(key, "type", reason), Ignore(key, "required", reason, version=9)]
    found = check([renamed], files, ignores=ignores)
    assert [one.kind for one in found].count("ignored") == 2
    assert [one.kind for one in found].count("unused") == 2
    assert "incompatible" not in {one.kind for one in found}
    (left,) = [
        one
        for one in check([renamed], files, ignores=[Ignore(key, "required", reason, path="$.cost")])
        if one.kind == "incompatible"
    ]
    assert left.path == "$.price"


def test_a_finding_is_the_same_each_time(tmp_path: Path) -> None:
    files = committed(tmp_path, Listed)
    first, second = (check([listed(price=str)], files, search=find_refused) for _ in range(2))
    assert first == second
    assert json.loads(first[0].refused.body) == first[0].refused.value
