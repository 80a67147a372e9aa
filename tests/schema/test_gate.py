"""What the gate says of events and their committed files."""

import json
import subprocess
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import AliasChoices, AwareDatetime, Field

from typed_pubsub import upcast
from typed_pubsub.errors import SchemaError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.registry import meta_of
from typed_pubsub.schema import canonical, path_of, schema_of
from typed_pubsub.schema.counterexamples import find_refused
from typed_pubsub.schema.files import SchemaFile, read_files
from typed_pubsub.schema.gate import Finding, Role, check
from typed_pubsub.schema.ignores import Ignore, read_ignores


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
    return read_files(str(directory), directory)


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
    assert [(one.kind, one.path) for one in found] == [("naive", "$.at"), ("naive", "$.left")]


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


def test_ignores_are_read_from_a_file(tmp_path: Path) -> None:
    assert read_ignores(tmp_path) == []
    (tmp_path / "ignore.toml").write_text('[[ignore]]\nevent = "a.b"\nrule = "type"\nversion = 2\nreason = "why"\n')
    assert read_ignores(tmp_path) == [Ignore("a.b", "type", "why", version=2)]


BAD_IGNORES = [
    ('[[ignore]]\nevent = "a"\nrule = "type"\n', "entry 1: 'reason' is missing"),
    ('[[ignore]]\nevent = "a"\nrule = "type"\nreason = "why"\nversion = "2"\n', "'version': expected int, got '2'"),
    ('[[ignore]]\nevent = "a"\nrule = "type"\nreason = "why"\nrules = "x"\n', "'rules' is not known"),
    ('[ignore]\nevent = "a"\n', "expected only entries [[ignore]]"),
    ('[[ignore]]\nevent = "a"\nrule = "requird"\nreason = "why"\n', "no rule 'requird': did you mean 'required'?"),
    ("nothing", "Expected '='"),
]


@pytest.mark.parametrize(("text", "problem"), BAD_IGNORES)
def test_a_wrong_file_of_ignores_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "ignore.toml").write_text(text)
    with pytest.raises(SchemaError) as caught:
        read_ignores(tmp_path)
    assert problem in str(caught.value)
    assert str(tmp_path / "ignore.toml") in str(caught.value)


BAD_FILES = [
    ("a.b/1.json", "{", "expected JSON"),
    ("a.b/1.json", "[]", "expected the JSON Schema of an event, got list"),
    ("a.b/1.json", '{"x-routing-key": "a.b"}', "expected x-routing-key, a text, and x-version"),
    ("a.b/1.json", '{"x-routing-key": "a..b", "x-version": 1}', "empty words are not allowed"),
    ("a.b/2.json", '{"x-routing-key": "a.b", "x-version": 1}', "belongs to a.b/1.json"),
    ("a.c/1.json", '{"x-routing-key": "a.b", "x-version": 1}', "belongs to a.b/1.json"),
]


@pytest.mark.parametrize(("path", "text", "problem"), BAD_FILES)
def test_a_file_that_is_no_contract_is_refused(tmp_path: Path, path: str, text: str, problem: str) -> None:
    (tmp_path / path).parent.mkdir()
    (tmp_path / path).write_text(text)
    with pytest.raises(SchemaError) as caught:
        read_files(str(tmp_path), tmp_path)
    assert problem in str(caught.value)
    assert path in str(caught.value)


def test_a_directory_that_is_not_there_yet_has_no_files_and_another_one_is_a_mistake(tmp_path: Path) -> None:
    assert read_files(str(tmp_path / "schemas"), tmp_path / "schemas") == []
    with pytest.raises(SchemaError, match="shcemas: expected a directory with schema files, or git:REVISION"):
        read_files(str(tmp_path / "shcemas"), tmp_path / "schemas")


def git(where: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", *who, *arguments], cwd=where, check=True, capture_output=True)


def test_the_files_of_a_commit_are_those_that_it_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schemas = tmp_path / "service" / "schemas"
    git(tmp_path, "init", "--quiet", "--initial-branch=main")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=empty")
    before = committed(schemas, Listed)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message=schemas")
    committed(schemas, listed(price=str))
    for directory, here in ((schemas, tmp_path), (Path("schemas"), tmp_path / "service")):
        monkeypatch.chdir(here)
        (found,) = read_files("git:main", directory)
        assert (found.text, found.version, found.template.text) == (before[0].text, 1, "shop.{shop}.listed")
        assert found.path.endswith("schemas/shop.{shop}.listed/1.json")
        assert read_files("git:main~1", directory) == []
        with pytest.raises(SchemaError, match="expected a revision of the git repository"):
            read_files("git:nothing", directory)


def test_a_revision_outside_of_any_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="git:main: expected a git repository around"):
        read_files("git:main", tmp_path / "schemas")


def test_a_finding_is_the_same_each_time(tmp_path: Path) -> None:
    files = committed(tmp_path, Listed)
    first, second = (check([listed(price=str)], files, search=find_refused) for _ in range(2))
    assert first == second
    assert json.loads(first[0].refused.body) == first[0].refused.value
