"""What is wrong with a body, in words that may be logged: they never repeat it.

Shown are error types, the paths and messages of the model's library without the input, and of a path the names of
members. Not shown are values, what a validator says, and the keys of mappings, which are data too.
"""

import re
from typing import Any, get_args

import msgspec
import pydantic_core
from pydantic import ValidationError

from typed_pubsub.events.shapes import is_list, is_mapping
from typed_pubsub.texts import printable

# Of the messages that pydantic-core itself writes, these repeat a part of the input, or a validator's own words.
_BUILT_IN = frozenset(get_args(pydantic_core.core_schema.ErrorType))
_TELLING = {
    "value_error": "refused by a validator",
    "assertion_error": "refused by a validator",
    "union_tag_invalid": "Input tag is none of those expected",
}
_SHOWN_PROBLEMS = 5
_LONGEST = 200


class BodyError(ValueError):
    """A body that is no event of the model; ``readable`` says whether it is JSON at all. The text may be logged."""

    def __init__(self, detail: str, *, readable: bool) -> None:
        """``detail``: path, expectation and error type, never the input."""
        super().__init__(detail)
        self.readable = readable


class Misfit(msgspec.Struct, frozen=True):
    """One thing that is wrong with a body, told to those whose own body it is: ``expected`` and ``got`` repeat it.

    ``kind`` is pydantic's error type, ``got`` the input as JSON, cut; both empty where the model is a Struct.
    """

    path: str
    expected: str
    kind: str = ""
    got: str = ""


def all_misfits(error: BaseException | None) -> list[Misfit]:
    """All that a model's library says of a body, its input included: of pydantic's error every one. Not for logs."""
    if isinstance(error, ValidationError):
        return [
            Misfit(_open_path(problem["loc"]), problem["msg"], problem["type"], _shown(problem))
            for problem in error.errors(include_url=False, include_context=False)
        ]
    if isinstance(error, msgspec.ValidationError):
        message, at, path = str(error).rpartition(" - at `")
        return [Misfit(path[:-1], message) if at else Misfit("$", str(error))]
    return []


def _open_path(location: tuple[int | str, ...]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)


def _shown(problem: Any) -> str:
    if problem["type"] == "missing":
        return ""
    text = pydantic_core.to_json(problem["input"], fallback=repr, inf_nan_mode="constants").decode(errors="replace")
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def not_json(error: Exception) -> BodyError:
    """What msgspec says of bytes that are no JSON."""
    if isinstance(error, RecursionError):
        return BodyError("expected JSON: nested too deep", readable=False)
    if isinstance(error, UnicodeDecodeError):
        return BodyError("expected JSON: not UTF-8", readable=False)
    return BodyError(f"expected JSON: {error}", readable=False)


def unserializable(text: str) -> str:
    """What pydantic says of a value that is not of its field's type, without the value."""
    found = re.search(r"Expected `([^`]*)`.*?\[(?:field_name='([^']*)')?", text)
    if found is None:
        return text.partition("\n")[0]
    return f"a value that is no {found[1]}" + (f" in the field {found[2]!r}" if found[2] else "")


def from_pydantic(error: ValidationError, body: bytes, declared: frozenset[str]) -> BodyError:
    """What pydantic says of a misfit; ``declared`` are the names of the model, which may be shown."""
    problems = error.errors(include_url=False, include_context=False)
    if problems[0]["type"] == "json_invalid" and not problems[0]["loc"]:
        return BodyError(f"expected JSON: {problems[0]['msg'].removeprefix('Invalid JSON: ')}", readable=False)
    data = pydantic_core.from_json(body)
    shown = "; ".join(_pydantic_problem(problem, data, declared) for problem in problems[:_SHOWN_PROBLEMS])
    more = len(problems) - _SHOWN_PROBLEMS
    return BodyError(f"{shown}; and {more} more" if more > 0 else shown, readable=True)


def _pydantic_problem(problem: Any, data: Any, declared: frozenset[str]) -> str:
    kind: str = problem["type"]
    message: str = problem["msg"]
    if kind not in _BUILT_IN or kind in _TELLING:
        message = _TELLING.get(kind, "refused by a validator")
    elif kind.endswith(("_parsing", "_violation", "_inexact")):
        # 'Input should be a valid UUID, invalid character: ... found `x` at 1': the tail quotes the input.
        message = message.partition(",")[0]
    got = "" if kind == "missing" else f", got {type(problem['input']).__name__}"
    # The name of a member that a closed model does not know is what the sender has to hear.
    shown = declared | {problem["loc"][-1]} if kind == "extra_forbidden" else declared
    return f"{_path(problem['loc'], data, shown)}: {message}{got} ({kind})"


def from_struct(error: msgspec.ValidationError) -> BodyError:
    """What msgspec says of a body that does not fit."""
    message, at, path = str(error).rpartition(" - at `")
    if not at:
        message, path = str(error), "$`"
    if error.__cause__ is not None:
        message = "refused by a validator"
    # "Invalid enum value 'x'": the tail quotes the input.
    message = re.sub(r"^(Invalid (enum )?value).*", r"\1", message, flags=re.DOTALL)
    return BodyError(f"{_printable(path[:-1], _LONGEST)}: {_printable(message, _LONGEST)}", readable=True)


def _path(location: tuple[int | str, ...], data: Any, declared: frozenset[str]) -> str:
    """The place in the body; a step that is the key of a mapping is hidden, one that is a part of a union is not."""
    path = "$"
    at = data
    for step in location:
        if is_mapping(at) and str(step) in at:
            path += f".{_printable(str(step))}" if step in declared else "[...]"
            at = at[str(step)]
        elif isinstance(step, int):
            path += f"[{step}]"
            at = at[step] if is_list(at) and step < len(at) else None
        else:
            path += f".{_printable(step)}"
    return path


def _printable(text: str, limit: int = 64) -> str:
    """Keys of a body are the sender's words: no control characters in a log, and not without end."""
    return printable(text, most=limit)
