"""Python source as values, laid out as ``ruff format`` lays it out at 120 columns: one line, or one item a line."""

import math
import unicodedata
from dataclasses import dataclass
from typing import Any, TypeAlias

from typed_pubsub.events.shapes import is_list, is_mapping

WIDTH = 120
_INDENT = 4


@dataclass(frozen=True, slots=True)
class Group:
    """Items in brackets behind a head: ``head(a, b=c)``; an item may have a prefix, such as ``b=``."""

    head: str
    items: "tuple[Item, ...]"
    brackets: str = "()"


@dataclass(frozen=True, slots=True)
class Either:
    """Types of which a value has one: ``a | b``."""

    parts: "tuple[Expression, ...]"


#: A text is a piece of source that stays on its line.
Expression: TypeAlias = str | Group | Either
Item: TypeAlias = Expression | tuple[str, Expression]


def call(name: str, *items: Item) -> Group:
    """``name(items)``."""
    return Group(name, items)


def index(name: str, *items: Item) -> Group:
    """``name[items]``."""
    return Group(name, items, "[]")


def either(parts: list[Expression]) -> Expression:
    """``a | b``, or the one there is."""
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def flat(expression: Expression) -> str:
    """The expression on one line."""
    match expression:
        case str():
            return expression
        case Either(parts):
            return " | ".join(flat(part) for part in parts)
        case Group(head, items, brackets):
            inside = ", ".join(prefix + flat(value) for prefix, value in map(_item, items))
            return f"{head}{brackets[0]}{inside}{brackets[1]}"


def width(text: str) -> int:
    """The columns that a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def laid_out(expression: Expression, *, indent: int, before: str = "", after: str = "", inside: bool = False) -> str:
    """The expression between what stands before and after it, on a line indented by ``indent`` columns or on several.

    ``inside`` brackets a union needs none of its own.
    """
    line = flat(expression)
    if isinstance(expression, str) or indent + width(before + line + after) <= WIDTH:
        return before + line + after
    if isinstance(expression, Either) and inside:
        return _alternatives(expression.parts, indent, before, after)
    return _broken(expression, indent, before) + after


def _broken(expression: Group | Either, indent: int, before: str) -> str:
    """The expression on several lines, in brackets."""
    if isinstance(expression, Group):
        return before + _exploded(expression, indent)
    inner = indent + _INDENT
    return f"{before}(\n{' ' * inner}{laid_out(expression, indent=inner, inside=True)}\n{' ' * indent})"


def _exploded(group: Group, indent: int) -> str:
    if not group.items:
        return flat(group)
    inner = indent + _INDENT
    # One type in brackets takes no comma: it would become a tuple.
    comma = "" if group.brackets == "[]" and group.head and len(group.items) == 1 else ","
    lines = [
        " " * inner + laid_out(value, indent=inner, before=prefix, after=comma, inside=True) + "\n"
        for prefix, value in map(_item, group.items)
    ]
    return f"{group.head}{group.brackets[0]}\n{''.join(lines)}{' ' * indent}{group.brackets[1]}"


def _alternatives(parts: tuple[Expression, ...], indent: int, before: str, after: str) -> str:
    first, *middle, last = parts
    lines = [laid_out(first, indent=indent, before=before, inside=True)]
    lines += [laid_out(part, indent=indent, before="| ", inside=True) for part in middle]
    lines.append(laid_out(last, indent=indent, before="| ", after=after, inside=True))
    return ("\n" + " " * indent).join(lines)


def _item(item: Item) -> tuple[str, Expression]:
    return item if isinstance(item, tuple) else ("", item)


def fits(name: str, annotation: Expression, value: Expression, *, indent: int) -> bool:
    """Whether the value can stand behind the member: on its line, or in brackets of its own."""
    return isinstance(value, Group) or indent + width(f"{name}: {flat(annotation)} = {flat(value)}") <= WIDTH


def assigned(name: str, annotation: Expression, value: Expression | None, *, indent: int) -> str:
    """``name: annotation = value``; where it takes several lines, the value's brackets open before the annotation's."""
    start = f"{name}: "
    if value is None:
        return laid_out(annotation, indent=indent, before=start)
    line = f"{start}{flat(annotation)} = "
    opening = value.head + value.brackets[0] if isinstance(value, Group) and value.items else flat(value)
    if isinstance(annotation, str) or indent + width(line + opening) <= WIDTH:
        return laid_out(value, indent=indent, before=line)
    if indent + width(line + "(") <= WIDTH:
        inner = indent + _INDENT
        return f"{line}(\n{' ' * inner}{laid_out(value, indent=inner)}\n{' ' * indent})"
    opened = _broken(annotation, indent, start)
    last = opened.rpartition("\n")[2].strip()
    return opened + laid_out(value, indent=indent, before=f"{last} = ")[len(last) :]


def quoted(text: str) -> str:
    """The text as a literal, in the quotes that need fewer escapes."""
    quote = "'" if text.count('"') > text.count("'") else '"'
    return quote + "".join(_escaped(char, quote) for char in text) + quote


def _escaped(char: str, quote: str) -> str:
    if char in (quote, "\\"):
        return "\\" + char
    return char if char.isprintable() else repr(char)[1:-1]


def quoted_bytes(value: bytes) -> str:
    """The bytes as a literal."""
    text = value.decode("latin-1")
    quote = "'" if text.count('"') > text.count("'") else '"'
    told = (_escaped(char, quote) if char.isascii() else f"\\x{ord(char):02x}" for char in text)
    return f"b{quote}{''.join(told)}{quote}"


def literal(value: Any) -> Expression:
    """A JSON value as Python."""
    if isinstance(value, str):
        return quoted(value)
    if is_mapping(value):
        return Group("", tuple((f"{quoted(name)}: ", literal(part)) for name, part in value.items()), "{}")
    if is_list(value):
        return Group("", tuple(literal(part) for part in value), "[]")
    if isinstance(value, float) and not math.isfinite(value):
        return f'float("{value}")'
    return repr(value)
