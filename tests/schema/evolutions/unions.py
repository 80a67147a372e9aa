"""Nullable values, plain unions, and unions told apart by a tag."""

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, Discriminator, Field

from tests.schema.evolutions.evolution import COUNTS, Evolution, retyped
from typed_pubsub.events import Event, StructEvent

TEXTS = ("", "a", "7", "null")


class Card(BaseModel):
    kind: Literal["card"] = "card"
    digits: str


class CardMore(BaseModel):
    kind: Literal["card"] = "card"
    digits: str
    name: str = ""


class CardMust(BaseModel):
    kind: Literal["card"] = "card"
    digits: str
    name: str


class CreditCard(BaseModel):
    kind: Literal["credit"] = "credit"
    digits: str


class CardOfTwoKinds(BaseModel):
    kind: Literal["credit", "card"] = "card"
    digits: str


class Cash(BaseModel):
    kind: Literal["cash"]
    amount: int


class CashByType(BaseModel):
    type: Literal["cash"]
    amount: int


class CardByType(BaseModel):
    type: Literal["card"]
    digits: str


class Untagged(BaseModel):
    digits: str


class Free(BaseModel):
    kind: Literal["free"] = "free"


class SCard(msgspec.Struct, tag_field="kind", tag="card"):
    digits: str


class SCardMore(msgspec.Struct, tag_field="kind", tag="card"):
    digits: str
    name: str = ""


class SCardMust(msgspec.Struct, tag_field="kind", tag="card"):
    digits: str
    name: str


class SCreditCard(msgspec.Struct, tag_field="kind", tag="credit"):
    digits: str


class SCash(msgspec.Struct, tag_field="kind", tag="cash"):
    amount: int


class SCashByType(msgspec.Struct, tag_field="type", tag="cash"):
    amount: int


class SCardByType(msgspec.Struct, tag_field="type", tag="card"):
    digits: str


class SUntagged(msgspec.Struct):
    digits: str


class SFree(msgspec.Struct, tag_field="kind", tag="free"):
    pass


CARDS = [{"kind": "card", "digits": digits} for digits in ("", "1", "1234")]
CASH: list[dict[str, Any]] = [{"kind": "cash", "amount": amount} for amount in (0, -1, 2**31)]
FREE = {"kind": "free"}
NAMED = {"kind": "card", "digits": "1", "name": "n"}
TYPED = {"type": "card", "digits": "1"}


def _tagged(*branches: Any) -> Any:
    union = branches[0]
    for branch in branches[1:]:
        union |= branch
    return Annotated[union, Discriminator("kind" if "kind" in branches[0].model_fields else "type")]


def _plain(*branches: Any) -> Any:
    union = branches[0]
    for branch in branches[1:]:
        union |= branch
    return union


def _branches(suffix: str, base: Any) -> list[Evolution]:
    tagged, card, cash, free, more, must, credit, untagged = (
        (_tagged, Card, Cash, Free, CardMore, CardMust, CreditCard, Untagged)
        if base is Event
        else (_plain, SCard, SCash, SFree, SCardMore, SCardMust, SCreditCard, SUntagged)
    )
    two, three = tagged(card, cash), tagged(card, cash, free)
    both = [*CARDS, *CASH]
    by_type = tagged(CardByType, CashByType) if base is Event else SCardByType | SCashByType
    return [
        retyped(f"a branch added{suffix}", two, three, old_values=both, refused_forward=FREE, base=base),
        retyped(f"a branch removed{suffix}", three, two, refused_back=FREE, new_values=both, base=base),
        retyped(f"branches reordered{suffix}", two, tagged(cash, card), values=both, base=base),
        retyped(
            f"a tag renamed{suffix}",
            two,
            tagged(credit, cash),
            refused_back=CARDS[0],
            refused_forward={"kind": "credit", "digits": "1"},
            base=base,
        ),
        retyped(
            f"the tag's member renamed{suffix}", two, by_type, refused_back=CARDS[0], refused_forward=TYPED, base=base
        ),
        retyped(
            f"an optional field added to a branch{suffix}",
            two,
            tagged(more, cash),
            old_values=both,
            new_values=[NAMED, *CASH],
            base=base,
        ),
        retyped(
            f"a required field added to a branch{suffix}",
            two,
            tagged(must, cash),
            refused_back=CARDS[0],
            new_values=[NAMED, *CASH],
            base=base,
        ),
        retyped(f"one model becomes a union{suffix}", card, two, old_values=CARDS, refused_forward=CASH[0], base=base),
        retyped(
            f"a model without a tag becomes a union{suffix}",
            untagged,
            two,
            refused_back={"digits": "1"},
            refused_forward=CASH[0],
            base=base,
        ),
        retyped(
            f"a tagged model loses its tag{suffix}",
            card,
            untagged,
            old_values=CARDS,
            new_values=[{"digits": digits} for digits in ("", "1")],
            base=base,
        ),
        retyped(f"a union made nullable{suffix}", two, two | None, old_values=both, refused_forward=None, base=base),
        retyped(
            f"a union to a mapping{suffix}",
            two,
            dict[str, int | str],
            old_values=both,
            refused_forward={"kind": "zzz"},
            base=base,
        ),
    ]


def _values(suffix: str, base: Any) -> list[Evolution]:
    return [
        retyped(f"made nullable{suffix}", int, int | None, old_values=COUNTS, refused_forward=None, base=base),
        retyped(f"null no longer allowed{suffix}", int | None, int, refused_back=None, new_values=COUNTS, base=base),
        retyped(
            f"always null to nullable{suffix}", None, str | None, old_values=[None], refused_forward="a", base=base
        ),
        retyped(f"a union widened{suffix}", int, int | str, old_values=COUNTS, refused_forward="a", base=base),
        retyped(
            f"a union narrowed{suffix}",
            int | str | None,
            int | None,
            refused_back="a",
            new_values=(*COUNTS, None),
            base=base,
        ),
        retyped(f"a union reordered{suffix}", int | str, str | int, values=(*COUNTS, *TEXTS), base=base),
        retyped(
            f"a union of int and float to float{suffix}",
            int | float,
            float,
            old_values=(*COUNTS, 1.5),
            new_values=(0.0, 1.5),
            base=base,
        ),
        retyped(
            f"a list or one of its items{suffix}",
            list[int],
            list[int] | int,
            old_values=[[], [1], [1, 2]],
            refused_forward=1,
            base=base,
        ),
        retyped(
            f"a union to Any{suffix}", int | str, Any, old_values=(*COUNTS, *TEXTS), refused_forward=1.5, base=base
        ),
        retyped(f"the order of null{suffix}", int | None, None | int, values=(*COUNTS, None), base=base),
    ]


OF_MODELS = [
    retyped("a tagged union to a plain one", _tagged(Card, Cash), Card | Cash, values=[*CARDS, *CASH]),
    retyped(
        "a branch gets a second tag",
        _tagged(Card, Cash),
        _tagged(CardOfTwoKinds, Cash),
        old_values=[*CARDS, *CASH],
        refused_forward={"kind": "credit", "digits": "1"},
    ),
    retyped(
        "a plain union of models widened",
        Untagged | Cash,
        Untagged | Cash | Free,
        old_values=[{"digits": "1"}, *CASH],
        refused_forward=FREE,
    ),
    retyped(
        "a model whose tag has a default becomes one where it has none",
        Card,
        Annotated[Card, Field(description="no union")],
        values=CARDS,
    ),
    retyped(
        "a union read from left to right",
        int | str,
        Annotated[int | str, Field(union_mode="left_to_right")],
        values=(*COUNTS, "a", ""),
    ),
    retyped("bool to a union of int and bool", bool, int | bool, old_values=(True, False), refused_forward=2),
]

OF_STRUCTS = [
    retyped(
        "a Struct without a tag gets one (Struct)",
        SUntagged,
        SCard,
        old_values=[{"digits": digits} for digits in ("", "1")],
        new_values=CARDS,
        base=StructEvent,
    ),
    retyped(
        "a tagged Struct gets another tag (Struct)",
        SCard,
        SCreditCard,
        refused_back=CARDS[0],
        refused_forward={"kind": "credit", "digits": "1"},
        base=StructEvent,
    ),
    retyped(
        "a union of models to one of Structs",
        _tagged(Card, Cash),
        SCard | SCash,
        values=[*CARDS, *CASH],
        base=(Event, StructEvent),
    ),
]

EVOLUTIONS: list[Evolution] = [
    *_branches("", Event),
    *_branches(" (Struct)", StructEvent),
    *_values("", Event),
    *_values(" (Struct)", StructEvent),
    *OF_MODELS,
    *OF_STRUCTS,
]
