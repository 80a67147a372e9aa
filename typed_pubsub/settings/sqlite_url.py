"""``sqlite://`` URLs: where the embedded broker keeps its file."""

import os
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

_SCHEME = "sqlite://"
_FORMS = "expected sqlite:///relative.db or sqlite:////absolute/path.db"
_MIN_LEASE, _MAX_LEASE = 1.0, 3_600.0


@dataclass(frozen=True, slots=True)
class Location:
    """A broker's file.

    ``path`` is absolute; ``lease`` is how many seconds what a process holds stays its own without a sign of life.
    """

    path: str
    lease: float = 15.0


def is_sqlite_url(url: str) -> bool:
    """Whether the URL, or a part of a list of them, is meant for the embedded broker."""
    return _SCHEME in url


def locate(url: str) -> Location:
    """Reads a URL; a relative path is relative to the working directory of this moment.

    ``%20`` stands for a blank, as in any URL; ``?lease=30`` sets the lease in seconds, 1 to 3,600.

    Raises:
        ValueError: it is no ``sqlite://`` URL, names no file, or has an unknown option. The text repeats nothing of it:
            there may be a password in what was meant for another broker.
    """
    if not url.startswith(_SCHEME):
        raise ValueError(_FORMS)
    rest, _, query = url.removeprefix(_SCHEME).partition("?")
    if ";" in rest:
        msg = f"{_FORMS}: one file, no list of several brokers"
        raise ValueError(msg)
    if not rest.startswith("/"):
        msg = f"{_FORMS}: after two slashes comes a host"
        raise ValueError(msg)
    name = unquote(rest[1:])
    if not name or name == ":memory:":
        msg = f"{_FORMS}: a database in memory has no second process"
        raise ValueError(msg)
    if "\0" in name or name.endswith("/"):
        msg = f"{_FORMS}: this path is none of a file"
        raise ValueError(msg)
    return Location(os.path.abspath(name), **_options(query))  # noqa: PTH100  # Path.resolve follows links: two names


def _options(query: str) -> dict[str, float]:
    options: dict[str, float] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name != "lease":
            msg = f"{_FORMS}, with ?lease=SECONDS at most"
            raise ValueError(msg)
        try:
            options[name] = float(value)
        except ValueError:
            options[name] = 0.0
        if not _MIN_LEASE <= options[name] <= _MAX_LEASE:
            msg = f"expected a lease of {_MIN_LEASE:g} to {_MAX_LEASE:g} seconds"
            raise ValueError(msg)
    return options
