"""Texts: their lengths and patterns, enums and Literals, formats that are texts in JSON."""

import re
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from annotated_types import Len, Predicate
from pydantic import UUID4, AnyUrl, Base64Bytes, Base64Encoder, EncodedBytes, HttpUrl, IPvAnyAddress, StringConstraints

from tests.schema.evolutions.evolution import Evolution, retyped
from typed_pubsub.events import Event, StructEvent

TEXTS = ("", "a", "é", "\n", "null", "x" * 300)
WORDS = ("a", "b", "ab", "zzz", "x" * 300, "aa")
IDS = tuple(UUID(int=number) for number in (0, 1, 2**64, 2**128 - 1, 2**127, 7))
RANDOM_ID, TIMED_ID = UUID("16fd2706-8baf-433b-82eb-8c7fada847da"), UUID("886313e1-3b8a-5372-9b90-0c9aee199e5d")


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class ColourReordered(Enum):
    GRUEN = "green"
    ROT = "red"


class ColourAndBlue(Enum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


# Pydantic counts what was decoded.
SHORT_BASE64 = Annotated[Base64Bytes, Len(0, 3)]


def _said(**constraints: Any) -> Any:
    return Annotated[str, StringConstraints(**constraints)]


def _meta(**constraints: Any) -> Any:
    return Annotated[str, msgspec.Meta(**constraints)]


def _lengths(text: Any, suffix: str, base: Any) -> list[Evolution]:
    long, bound = "x" * 9, text(min_length=1, max_length=8)
    return [
        retyped(
            f"a text's least length up{suffix}",
            text(min_length=1),
            text(min_length=2),
            refused_back="a",
            new_values=("ab", "éé", "x" * 300),
            base=base,
        ),
        retyped(
            f"a text's longest length up{suffix}",
            text(max_length=8),
            text(max_length=9),
            old_values=("", "x" * 8, "é" * 8, "\U0001f600" * 8),
            refused_forward=long,
            base=base,
        ),
        retyped(f"a text bound{suffix}", str, bound, refused_back="", new_values=("a", "\U0001f600" * 8), base=base),
        retyped(
            f"a text's bounds removed{suffix}", bound, str, old_values=("a", "x" * 8), refused_forward=long, base=base
        ),
        retyped(
            f"a pattern added{suffix}", str, text(pattern="^[a-z]+$"), refused_back="A", new_values=WORDS, base=base
        ),
        retyped(
            f"a pattern removed{suffix}",
            text(pattern="^[a-z]+$"),
            str,
            old_values=WORDS,
            refused_forward="A",
            base=base,
        ),
        retyped(f"a pattern kept{suffix}", text(pattern="^[a-z]+$"), text(pattern="^[a-z]+$"), values=WORDS, base=base),
        retyped(
            f"a pattern changed{suffix}",
            text(pattern="^[a-z]+$"),
            text(pattern="^[A-Z]+$"),
            refused_back="a",
            refused_forward="A",
            base=base,
        ),
    ]


def _values(suffix: str, base: Any) -> list[Evolution]:
    both = ("red", "green")
    literal: Any = Literal["red", "green"]
    wider: Any = Literal["red", "green", "blue"]
    return [
        retyped(
            f"an enum's value added{suffix}", Colour, ColourAndBlue, old_values=both, refused_forward="blue", base=base
        ),
        retyped(
            f"an enum's value removed{suffix}", ColourAndBlue, Colour, refused_back="blue", new_values=both, base=base
        ),
        retyped(f"an enum reordered, its members renamed{suffix}", Colour, ColourReordered, values=both, base=base),
        retyped(f"an enum to a Literal{suffix}", Colour, literal, values=both, base=base),
        retyped(
            f"an enum to a wider Literal{suffix}", Colour, wider, old_values=both, refused_forward="blue", base=base
        ),
        retyped(f"an enum to str{suffix}", Colour, str, old_values=both, refused_forward="blue", base=base),
        retyped(f"a Literal's value added{suffix}", literal, wider, old_values=both, refused_forward="blue", base=base),
        retyped(f"a Literal's value removed{suffix}", wider, literal, refused_back="blue", new_values=both, base=base),
        retyped(f"a Literal reordered{suffix}", literal, Literal["green", "red"], values=both, base=base),
        retyped(f"str to a Literal{suffix}", str, literal, refused_back="blue", new_values=both, base=base),
        retyped(
            f"a const to a Literal{suffix}",
            Literal["red"],
            literal,
            old_values=["red"],
            refused_forward="green",
            base=base,
        ),
        retyped(
            f"a const changed{suffix}",
            Literal["red"],
            Literal["green"],
            refused_back="red",
            refused_forward="green",
            base=base,
        ),
        retyped(
            f"a const's type changed{suffix}", Literal[1], Literal["1"], refused_back=1, refused_forward="1", base=base
        ),
        retyped(
            f"a Literal with null to a nullable one{suffix}",
            Literal["red", None],  # noqa: PYI061  # the point
            Literal["red"] | None,
            values=("red", None),
            base=base,
        ),
    ]


OF_MODELS = [
    retyped("a text must be ASCII", str, _said(ascii_only=True), refused_back="é", new_values=WORDS),
    retyped("a predicate added", str, Annotated[str, Predicate(str.islower)], refused_back="A", new_values=WORDS),
    retyped(
        "a pattern's flags changed",
        _said(pattern=re.compile("^a b$", re.VERBOSE)),
        _said(pattern="^a b$"),
        refused_back="ab",
        refused_forward="a b",
    ),
    retyped("a text to a complex number", str, complex, refused_back="a", new_values=(0, 1j, 1 + 2j)),
    retyped(
        "whitespace stripped of a text", str, _said(strip_whitespace=True), old_values=(*TEXTS, " a "), new_values=TEXTS
    ),
    retyped(
        "whitespace stripped of a text that must not be empty",
        _said(min_length=1),
        _said(min_length=1, strip_whitespace=True),
        refused_back=" ",
        new_values=WORDS,
    ),
    retyped(
        "whitespace stripped of a text no longer, which may not be long",
        _said(max_length=2, strip_whitespace=True),
        _said(max_length=2),
        old_values=("", "a", "é", "ab", " b", "bb "),
        new_values=("", "a", "é", "ab", " b", "b "),
    ),
    retyped(
        "a text lowered that has a pattern of capitals",
        _said(pattern="^[A-Z]+$"),
        _said(to_lower=True),
        old_values=("A", "AB", "Z"),
        refused_forward="a",
    ),
    retyped(
        "a pattern to the lengths that it implies",
        _said(pattern="^[a-z]{3}$"),
        _said(min_length=3, max_length=3),
        old_values=("abc", "zzz", "aaa"),
        refused_forward="ABC",
    ),
    retyped(
        "a Literal to a text with a pattern that it fits",
        Literal["ab", "cd"],
        _said(pattern="^[a-z]{2}$"),
        old_values=("ab", "cd"),
        refused_forward="zz",
    ),
    retyped(
        "a Literal to a text that is too short for it",
        Literal["ab", "abc"],
        _said(max_length=2),
        refused_back="abc",
        refused_forward="zz",
    ),
    retyped("UUID to UUID4", UUID, UUID4, refused_back=TIMED_ID, new_values=[RANDOM_ID]),
    retyped("str to UUID", str, UUID, refused_back="", new_values=IDS),
    retyped("str to base64", str, Base64Bytes, refused_back="a", new_values=[b"", b"YQ==", b"/+8="]),
    retyped("bytes limited", bytes, Annotated[bytes, Len(0, 3)], refused_back="éé".encode(), new_values=(b"", b"abc")),
    retyped("base64 limited", Base64Bytes, SHORT_BASE64, refused_back=b"YWJjZA==", new_values=[b"", b"YWJj"]),
    retyped(
        "base64 of three bytes to a text of three letters",
        SHORT_BASE64,
        _said(max_length=3),
        refused_back=b"YWJj",
        refused_forward="a",
    ),
    retyped(
        "base64 limited by its letters to one limited by its bytes",
        Annotated[bytes, Len(0, 8), EncodedBytes(encoder=Base64Encoder)],
        SHORT_BASE64,
        refused_back=b"YWJjZA==",
        new_values=[b"", b"YWJj"],
    ),
    retyped("str to bytes of text", str, bytes, old_values=TEXTS, new_values=[text.encode() for text in TEXTS]),
    retyped(
        "a web address to any address",
        HttpUrl,
        AnyUrl,
        old_values=["http://a", "https://b.c/d?e=f#g"],
        refused_forward="ftp://a",
    ),
    retyped("any address to str", AnyUrl, str, old_values=["http://a", "ftp://b/c", "urn:isbn:1"], refused_forward="a"),
    retyped("an IP address to str", IPvAnyAddress, str, old_values=["127.0.0.1", "::1"], refused_forward="a"),
]

OF_STRUCTS = [
    retyped("str to UUID (Struct)", str, UUID, refused_back="", new_values=IDS, base=StructEvent),
    retyped(
        "str to bytes in base64 (Struct)",
        str,
        bytes,
        refused_back="a",
        new_values=(b"", b"a", b"\xff\xfe>"),
        base=StructEvent,
    ),
    retyped(
        "bytes limited (Struct)",
        bytes,
        Annotated[bytes, msgspec.Meta(max_length=3)],
        refused_back=b"abcd",
        new_values=(b"", b"abc"),
        base=StructEvent,
    ),
    retyped(
        "bytes as text to bytes in base64",
        bytes,
        bytes,
        refused_back=b"a",
        new_values=(b"", b"a", b"\xff"),
        base=(Event, StructEvent),
        forward=False,
        lax=True,
    ),
]

EVOLUTIONS: list[Evolution] = [
    *_lengths(_said, "", Event),
    *_lengths(_meta, " (Struct)", StructEvent),
    *_values("", Event),
    *_values(" (Struct)", StructEvent),
    *OF_MODELS,
    *OF_STRUCTS,
]
