# either way is right, and each has demands
"""What bytes are read as JSON, and which fields are numbers in it."""

from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import pytest
from pydantic import field_validator

from typed_pubsub.events import Event, Registry, StructEvent
from typed_pubsub.events.codec import BodyError, EventCodec, read_json
from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.registry import meta_of

REGISTRY = Registry()
UserId = NewType("UserId", int)


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    BIG = 3


class Small(Event, routing_key="small", registry=REGISTRY):
    i: int = 0
    f: float = 0
    s: str = ""


class StructSmall(StructEvent, routing_key="struct.small", registry=REGISTRY):
    i: int = 0
    f: float = 0.0
    s: str = ""


EVENTS: list[Any] = [Small, StructSmall]


def _codec(event: Any) -> EventCodec[Any]:
    return meta_of(event).codec


def _refusal(event: Any, body: bytes) -> BodyError:
    with pytest.raises(BodyError) as refused:
        read_event(meta_of(event), "", body)
    return refused.value


NOT_JSON = [
    b"",
    b"  ",
    b"{",
    b'{"i":1',
    b'{"i":1}x',
    b"{'i':1}",
    b"\x00",
    b"\xff",
    b'{"s":"\xff"}',
    b'{"\xff":1}',
    b'{"unknown":"\xff"}',
    b'\xef\xbb\xbf{"i":1}',
    '{"i":1}'.encode("utf-16"),
    b'{"f":NaN}',
    b'{"f":Infinity}',
    b'{"f":-Infinity}',
    b'{"unknown":NaN}',
    b'{"i":"x","f":NaN}',
    b'{"s":"\\ud800"}',
    b'{"i":01}',
    b"[" * 100_000,
    b'{"i":' * 100_000,
    b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"i":"x","x":',
]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("body", NOT_JSON, ids=range(len(NOT_JSON)))
def test_bytes_that_are_no_json_are_told_from_json_that_does_not_fit(event: Any, body: bytes) -> None:
    error = _refusal(event, body)
    assert str(error).startswith("expected JSON: ")
    assert not error.readable


@pytest.mark.parametrize("body", NOT_JSON, ids=range(len(NOT_JSON)))
def test_plain_json_is_read_as_strictly(body: bytes) -> None:
    with pytest.raises(BodyError, match=r"^expected JSON: "):
        read_json(body)


def test_plain_json_keeps_whole_numbers_whole() -> None:
    assert read_json(b'[123456789012345678901234567890, 1.5, "\\u00e9", null]') == [
        123456789012345678901234567890,
        1.5,
        "é",
        None,
    ]


@pytest.mark.parametrize("event", EVENTS)
def test_the_words_nan_and_infinity_are_welcome_in_texts(event: Any) -> None:
    class Note(Event, routing_key="note", registry=Registry()):
        text: str

    class StructNote(StructEvent, routing_key="note", registry=Registry()):
        text: str

    note: Any = Note if event is Small else StructNote
    assert read_event(meta_of(note), "note", b'{"text":"NaN and Infinity"}').text == "NaN and Infinity"


def test_of_two_members_of_one_name_the_last_counts() -> None:
    for event in EVENTS:
        assert read_event(meta_of(event), "", b'{"i":1,"i":2}').i == 2


def test_what_a_validator_raises_by_mistake_is_not_taken_for_the_senders_fault() -> None:
    class Buggy(Event, routing_key="buggy", registry=Registry()):
        x: int

        @field_validator("x")
        @classmethod
        def _look_up(cls, value: int) -> int:
            raise KeyError(value)

    with pytest.raises(KeyError):
        read_event(meta_of(Buggy), "buggy", b'{"x":1}')


WHOLE: list[Any] = [int, bool, UserId, Size, Literal[1, 2], int | None, Annotated[int, "x"], Annotated[int | None, "x"]]
OTHER: list[Any] = [str, UUID, Colour, Literal["1"], int | str, Any, float, list[int]]


@pytest.mark.parametrize(("hint", "expected"), [(h, True) for h in WHOLE] + [(h, False) for h in OTHER], ids=str)
def test_a_codec_knows_which_fields_are_whole_numbers_in_json(hint: Any, expected: bool) -> None:
    class Probe(Event, routing_key="probe", registry=Registry()):
        x: hint

    class StructProbe(StructEvent, routing_key="probe", registry=Registry()):
        x: hint

    assert _codec(Probe).is_number("x") is expected
    assert _codec(StructProbe).is_number("x") is expected
