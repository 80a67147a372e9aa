"""The user's own code: validators, serializers, computed and excluded fields."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Base64Bytes,
    Base64Str,
    BeforeValidator,
    Field,
    ImportString,
    NewPath,
    PlainSerializer,
    computed_field,
    field_validator,
    model_validator,
)
from pydantic_core import core_schema

from tests.schema.evolutions.evolution import COUNTS, Evolution, event, evolution, retyped
from tests.schema.evolutions.nested_models import ClosedA, Named, Numbered, Weighed
from typed_pubsub.events import Event, Registry, StructEvent

XS = [{"x": count} for count in COUNTS]
EVEN_XS = [{"x": count} for count in (0, 2, -2, 4, 2**31, 10)]
TEXTS = ("", "a", "é", "1,2", "x" * 300)
PLAIN, STRUCT = event({"x": int}), event({"x": int}, StructEvent)


def even(value: int) -> int:
    if value % 2:
        raise ValueError("odd")
    return value


def spelled(value: Any) -> Any:
    return value.split(",") if isinstance(value, str) else value


class FieldChecked(Event, routing_key="happened", registry=Registry()):
    x: int

    @field_validator("x")
    @classmethod
    def is_even(cls, value: int) -> int:
        return even(value)


class ModelChecked(Event, routing_key="happened", registry=Registry()):
    x: int

    @model_validator(mode="after")
    def is_even(self) -> Self:
        even(self.x)
        return self


class CheckedBefore(Event, routing_key="happened", registry=Registry()):
    x: int

    @model_validator(mode="before")
    @classmethod
    def is_even(cls, members: Any) -> Any:
        if isinstance(members, dict):
            even(members["x"])
        return members


class PostInit(StructEvent, routing_key="happened", registry=Registry()):
    x: int

    def __post_init__(self) -> None:
        even(self.x)


class Computed(Event, routing_key="happened", registry=Registry()):
    x: int

    @computed_field
    def double(self) -> int:
        return 2 * self.x


class ComputedText(Event, routing_key="happened", registry=Registry()):
    x: int

    @computed_field
    def double(self) -> str:
        return str(2 * self.x)


class Even:
    """A type of the user's own that tells its schema, and nothing of its code."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(even)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "integer"}


NUMBER: Any = Annotated[Decimal, PlainSerializer(float, return_type=float)]
EXCLUDED = event({"x": int, "y": (int, Field(default=0, exclude=True))})
XYS = [{"x": count, "y": count} for count in COUNTS]
SECONDS: Any = Annotated[timedelta, PlainSerializer(timedelta.total_seconds, return_type=float)]
UNLESS_NONE = event({"x": int, "y": (int | None, Field(default=None, exclude_if=lambda value: value is None))})

OF_DATACLASSES = [
    retyped(
        "a member that a dataclass sets itself is not read",
        Named,
        Numbered,
        old_values=[{"a": 1, "b": "x"}],
        refused_forward={"a": 1},
    ),
    retyped(
        "a member that a dataclass sets itself is written",
        Numbered,
        ClosedA,
        refused_back={"a": 1},
        new_values=[{"a": 1}],
    ),
    retyped(
        "a member that a dataclass is only made with is not written",
        Weighed,
        ClosedA,
        old_values=[{"a": 1, "weight": 2}],
        new_values=[{"a": 1}],
    ),
]
OF_PYDANTIC = [
    retyped(
        "a text to a name that is imported",
        Literal["typed_pubsub.no_such_name", "json.dumps"],
        ImportString,
        refused_back="typed_pubsub.no_such_name",
        forward=False,
        lax=True,
        new_values=("json.dumps",),
    ),
    retyped(
        "bytes in base64 to a text in base64",
        Base64Bytes,
        Base64Str,
        refused_back=b"/w==",
        new_values=("YQ==", "YWI="),
    ),
    retyped("an int to a type that tells its own schema", int, Even, refused_back=1, new_values=(0, 2, -2)),
    retyped("a path to one of nothing yet", Path, NewPath, refused_back=Path("/"), new_values=(Path("/no_such_path"),)),
]
EVOLUTIONS: list[Evolution] = [
    *OF_DATACLASSES,
    *OF_PYDANTIC,
    evolution("a field's validator added", PLAIN, FieldChecked, refused_back={"x": 1}, samples_new=EVEN_XS),
    evolution("a field's validator removed", FieldChecked, PLAIN, samples_old=EVEN_XS, refused_forward={"x": 1}),
    evolution("a model's validator added", PLAIN, ModelChecked, refused_back={"x": 1}, samples_new=EVEN_XS),
    evolution(
        "a model's validator of the raw members added", PLAIN, CheckedBefore, refused_back={"x": 1}, samples_new=EVEN_XS
    ),
    evolution(
        "a check after the making of a Struct added (Struct)",
        STRUCT,
        PostInit,
        refused_back={"x": 1},
        samples_new=EVEN_XS,
    ),
    evolution(
        "a check after the making of a Struct removed (Struct)",
        PostInit,
        STRUCT,
        samples_old=EVEN_XS,
        refused_forward={"x": 1},
    ),
    retyped(
        "an annotated validator added", int, Annotated[int, AfterValidator(even)], refused_back=1, new_values=(0, 2, -2)
    ),
    retyped(
        "an annotated validator kept",
        Annotated[int, AfterValidator(even)],
        Annotated[int, AfterValidator(even)],
        values=(0, 2, -2),
    ),
    retyped(
        "a validator added within a list",
        list[int],
        list[Annotated[int, AfterValidator(even)]],
        refused_back=[1],
        new_values=[[], [2], [0, -2]],
    ),
    retyped(
        "a validator added where the type is widened",
        int,
        Annotated[float, AfterValidator(even)],
        refused_back=1,
        refused_forward=1e300,
    ),
    retyped(
        "a list that was a text, read by a validator before",
        list[str],
        Annotated[list[str], BeforeValidator(spelled)],
        values=[[], [""], ["a", "b"]],
        backward=False,
        lax=True,
    ),
    evolution("a computed field added", PLAIN, Computed, samples=XS),
    evolution("a computed field removed", Computed, PLAIN, samples=XS),
    evolution(
        "a computed field added where the event was closed",
        event({"x": int}, extra="forbid"),
        Computed,
        samples_old=XS,
        refused_forward={"x": 1},
    ),
    evolution(
        "a computed field becomes one that is read",
        Computed,
        event({"x": int, "double": int}),
        samples_old=XS,
        samples_new=[{"x": count, "double": 0} for count in COUNTS],
    ),
    evolution(
        "a computed field becomes one of another type that is read",
        ComputedText,
        event({"x": int, "double": list[str]}),
        refused_back={"x": 1},
        samples_new=[{"x": count, "double": []} for count in COUNTS],
    ),
    retyped("a text to a Decimal written as a number", str, NUMBER, refused_back="a", refused_forward=Decimal(1)),
    retyped(
        "a number to a Decimal written as one",
        float,
        NUMBER,
        old_values=(0.0, 1.5, -1e300),
        new_values=(Decimal(0), Decimal("1.5")),
    ),
    retyped("a duration written in seconds", str, SECONDS, refused_back="a", refused_forward=timedelta(1)),
    retyped(
        "a duration in seconds to the number of them",
        SECONDS,
        float,
        old_values=(timedelta(), timedelta(-1)),
        refused_forward=1e300,
    ),
    evolution(
        "a field no longer written, that the old reader needs",
        event({"x": int, "y": int}),
        EXCLUDED,
        samples_old=XYS,
        refused_forward={"x": 1},
    ),
    evolution(
        "a field no longer written, that had a default",
        event({"x": int, "y": (int, 0)}),
        EXCLUDED,
        samples_old=XYS,
        samples_new=XS,
    ),
    evolution("a field written again", EXCLUDED, event({"x": int, "y": int}), refused_back={"x": 1}, samples_new=XYS),
    evolution(
        "a field written unless it is null",
        event({"x": int, "y": int | None}),
        UNLESS_NONE,
        samples_old=[*XYS, {"x": 0, "y": None}],
        refused_forward={"x": 1},
    ),
    evolution(
        "a field written unless it is null, that had a default",
        event({"x": int, "y": (int | None, None)}),
        UNLESS_NONE,
        samples_old=[*XYS, {"x": 0, "y": None}],
        samples_new=[*XYS, {"x": 0, "y": None}],
    ),
    retyped(
        "a text to a list written as a text",
        str,
        Annotated[list[str], BeforeValidator(spelled), PlainSerializer(",".join, return_type=str)],
        old_values=TEXTS,
        new_values=[["a"], ["a", "b"]],
        backward=False,
        lax=True,
    ),
]
