"""What is told of a broker: one line for each thing that was looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

#: ``unknown``: it could not be asked, and the text says why.
Verdict: TypeAlias = Literal["ok", "problem", "advice", "unknown"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at; of a problem ``fix`` says what to do."""

    subject: str
    verdict: Verdict
    text: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Examined:
    """One broker: ``what`` it is to the service, its URL without a password, and whether there is a connection."""

    what: str
    url: str
    connected: bool
    lines: tuple[Line, ...]


def ok(subject: str, text: str) -> Line:
    """All well."""
    return Line(subject, "ok", _clean(text))


def problem(subject: str, text: str, fix: str) -> Line:
    """Something to mend, which makes the exit code."""
    return Line(subject, "problem", _clean(text), fix)


def advice(subject: str, text: str) -> Line:
    """Something to know."""
    return Line(subject, "advice", _clean(text))


def unknown(subject: str, text: str) -> Line:
    """Something that could not be asked."""
    return Line(subject, "unknown", _clean(text))


def exit_code(examined: Iterable[Examined]) -> int:
    """0 all well, 1 a problem, 3 where no host of a broker can be connected to."""
    found = list(examined)
    if {one.what for one in found} - {one.what for one in found if one.connected}:
        return 3
    return 1 if any(line.verdict == "problem" for one in found for line in one.lines) else 0


def _clean(text: str) -> str:
    return " ".join(text.split())
