"""Events whose words stand in their routing key, and what the publisher's own reader refuses."""

from enum import Enum, IntEnum
from typing import Annotated, Any

import msgspec
import pytest
from pydantic import AliasChoices, AliasPath, Field
from pydantic.alias_generators import to_camel

from typed_pubsub.errors import DefinitionError, EventError
from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.codec import BodyError
from typed_pubsub.events.keyed import read_event, write_event
from typed_pubsub.events.registry import meta_of


class Level(IntEnum):
    LOW = 1


class Zone(Enum):
    NORTH = "north"


class Loaded(Event, routing_key="etl.{source}.{table}.loaded", registry=Registry()):
    source: str
    table: str
    rows: int = 0


class StructLoaded(StructEvent, routing_key="etl.{source}.{table}.loaded", registry=Registry()):
    source: str
    table: str
    rows: int = 0


class Typed(Event, routing_key="t.{number}.{level}.{zone}.{on}", registry=Registry()):
    number: int
    level: Level
    zone: Zone
    on: bool = True


class StructTyped(StructEvent, routing_key="t.{number}.{level}.{zone}", registry=Registry()):
    number: Annotated[int, msgspec.Meta(ge=-5)]
    level: Level
    zone: Zone


BOTH: list[Any] = [Loaded, StructLoaded]
KEY = "etl.crm.users.loaded"


def _read(event: Any, key: str, body: bytes) -> Any:
    return read_event(meta_of(event), key, body)


@pytest.mark.parametrize("event", BOTH)
def test_the_key_is_filled_from_the_event_and_the_body_is_whole(event: Any) -> None:
    key, body = write_event(event(source="crm", table="users", rows=3))
    assert key == KEY
    assert body == b'{"source":"crm","table":"users","rows":3}'


@pytest.mark.parametrize("event", BOTH)
@pytest.mark.parametrize("body", [b"{}", b" \n{ }", b'{"rows":0}', b'{"source":"crm"}', b'\t{ "table" : "users" }'])
def test_a_field_that_the_body_lacks_is_taken_from_the_key(event: Any, body: bytes) -> None:
    assert _read(event, KEY, body) == event(source="crm", table="users")


@pytest.mark.parametrize("event", BOTH)
def test_where_body_and_key_disagree_the_body_is_refused_without_its_value(event: Any) -> None:
    with pytest.raises(
        BodyError, match=r"^\$\.table: expected the word of the routing key, got another value$"
    ) as refused:
        _read(event, KEY, b'{"table":"hunter2"}')
    assert refused.value.readable


@pytest.mark.parametrize("event", BOTH)
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'"x"', b"null", b'{"rows":1', b"{}x", b"{,}"])
def test_a_body_that_is_no_object_is_refused_with_a_template_too(event: Any, body: bytes) -> None:
    with pytest.raises(BodyError):
        _read(event, KEY, body)


@pytest.mark.parametrize("word", ["a.b", "", "ü", "*", "a b"])
@pytest.mark.parametrize("event", BOTH)
def test_a_field_that_is_no_word_of_a_key_is_an_event_error(event: Any, word: str) -> None:
    with pytest.raises(
        EventError, match=r"^etl\.\{source\}\.\{table\}\.loaded: \$\.source: expected a word"
    ) as refused:
        write_event(event(source=word, table="users"))
    assert refused.value.routing_key == "etl.{source}.{table}.loaded"


def test_none_is_no_word_of_a_key() -> None:
    class Optional(Event, routing_key="a.{x}", registry=Registry()):
        x: str | None = None

    with pytest.raises(EventError, match=r"\$\.x: expected a word of the routing key"):
        write_event(Optional())


def test_a_key_that_grows_too_long_is_an_event_error() -> None:
    with pytest.raises(EventError, match="AMQP carries at most 255"):
        write_event(Loaded(source="a" * 200, table="b" * 200))


def test_numbers_enums_and_flags_travel_in_keys() -> None:
    event = Typed(number=-7, level=Level.LOW, zone=Zone.NORTH)
    key, body = write_event(event)
    assert key == "t.-7.1.north.True"
    assert _read(Typed, key, body) == event
    assert _read(Typed, key, b"{}") == event


def test_numbers_of_structs_are_read_from_keys_as_numbers() -> None:
    event = StructTyped(number=-5, level=Level.LOW, zone=Zone.NORTH)
    assert write_event(event)[0] == "t.-5.1.north"
    assert _read(StructTyped, "t.-5.1.north", b"{}") == event
    with pytest.raises(BodyError, match=r"^\$\.number: Expected `int`, got `str`$"):
        _read(StructTyped, "t.five.1.north", b"{}")


@pytest.mark.parametrize("event", [Typed, StructTyped])
def test_one_number_has_one_spelling_in_a_key(event: Any) -> None:
    key = "t.007.1.north" + (".True" if event is Typed else "")
    with pytest.raises(BodyError, match=r"\$\.number: expected the word of the routing key"):
        _read(event, key, b"{}")


def test_digits_of_other_scripts_are_no_number() -> None:
    with pytest.raises(BodyError, match=r"\$\.number"):
        _read(StructTyped, "t.٣.1.north", b"{}")


def test_an_alias_is_the_name_in_the_body() -> None:
    class Aliased(Event, routing_key="a.{src}", registry=Registry()):
        src: str = Field(alias="source")

    assert write_event(Aliased(source="crm")) == ("a.crm", b'{"source":"crm"}')
    assert _read(Aliased, "a.crm", b"{}").src == "crm"
    assert _read(Aliased, "a.crm", b'{"source":"crm"}').src == "crm"
    with pytest.raises(BodyError, match=r"\$\.src: expected the word"):
        _read(Aliased, "a.crm", b'{"source":"erp"}')


def test_an_alias_generator_and_msgspecs_rename_are_followed() -> None:
    class Camel(Event, routing_key="a.{home_team}", registry=Registry(), alias_generator=to_camel):
        home_team: str

    class StructCamel(StructEvent, routing_key="a.{home_team}", registry=Registry(), rename="camel"):
        home_team: str

    for event in (Camel, StructCamel):
        assert _read(event, "a.x", b"{}").home_team == "x"
        assert write_event(_read(event, "a.x", b'{"homeTeam":"x"}')) == ("a.x", b'{"homeTeam":"x"}')
        with pytest.raises(BodyError):
            _read(event, "a.x", b'{"homeTeam":"y"}')


def test_every_choice_of_an_alias_wins_over_the_key() -> None:
    class Chosen(Event, routing_key="a.{src}", registry=Registry()):
        src: str = Field(validation_alias=AliasChoices("source", "origin", "src"))

    assert _read(Chosen, "a.crm", b"{}").src == "crm"
    for name in ("source", "origin", "src"):
        assert _read(Chosen, "a.crm", b'{"%s":"crm"}' % name.encode()).src == "crm"
        with pytest.raises(BodyError, match=r"\$\.src: expected the word"):
            _read(Chosen, "a.crm", b'{"%s":"erp"}' % name.encode())


def test_a_field_that_is_read_by_name_too_wins_by_both() -> None:
    class Both(Event, routing_key="a.{src}", registry=Registry(), validate_by_name=True):
        src: str = Field(alias="source")

    assert _read(Both, "a.crm", b"{}").src == "crm"
    for name in (b"source", b"src"):
        assert _read(Both, "a.crm", b'{"%s":"crm"}' % name).src == "crm"
        with pytest.raises(BodyError, match=r"\$\.src: expected the word"):
            _read(Both, "a.crm", b'{"%s":"erp"}' % name)


def test_a_field_that_is_read_by_name_only_ignores_its_alias() -> None:
    class ByName(
        Event,
        routing_key="a.{src}",
        registry=Registry(),
        validate_by_name=True,
        validate_by_alias=False,
    ):
        src: str = Field(alias="source")

    assert _read(ByName, "a.crm", b'{"source":"erp"}').src == "crm"


def test_a_path_into_the_body_can_be_no_word_of_a_key() -> None:
    with pytest.raises(
        DefinitionError, match=r"Nested\.src is read by an AliasPath and so can be no word of the routing key"
    ):

        class Nested(Event, routing_key="a.{src}", registry=Registry()):
            src: str = Field(validation_alias=AliasPath("meta", "src"))


def test_a_path_among_other_choices_is_passed_over() -> None:
    class Mixed(Event, routing_key="a.{src}", registry=Registry()):
        src: str = Field(validation_alias=AliasChoices(AliasPath("meta", "src"), "src"))

    assert _read(Mixed, "a.crm", b"{}").src == "crm"
    assert _read(Mixed, "a.crm", b'{"meta":{"src":"crm"}}').src == "crm"
    with pytest.raises(BodyError):
        _read(Mixed, "a.crm", b'{"meta":{"src":"erp"}}')


def test_a_closed_model_takes_its_fields_from_the_key_too() -> None:
    class Closed(Event, routing_key="a.{x}", registry=Registry(), extra="forbid"):
        x: str

    assert _read(Closed, "a.b", b"{}").x == "b"
