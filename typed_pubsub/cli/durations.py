"""Spans of time as people write and read them: 90s, 15m, 2h, 7d."""

import re

import click

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")


def duration(value: str) -> float:
    """Seconds, of a text such as ``90s`` or ``2h``. A ``type=`` of click options.

    Raises:
        click.BadParameter: the text is no span of time; a number without a unit may mean seconds or days.
    """
    found = _WRITTEN.fullmatch(value.strip())
    if found is None:
        raise click.BadParameter(f"{value!r} is no duration: expected such as 90s, 15m, 2h or 7d")
    return float(found[1]) * _SECONDS[found[2]]


def spell(seconds: float) -> str:
    """The largest unit that fits, rounded down: ``4s``, ``15m``, ``2h``, ``7d``."""
    for unit, length in reversed(_SECONDS.items()):
        if seconds >= length:
            return f"{int(seconds // length)}{unit}"
    return "0s"
