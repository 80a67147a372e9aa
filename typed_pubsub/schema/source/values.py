"""From JSON values to the Python source of what a class has in their place: dates, Decimals, addresses."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal, DecimalException
from typing import Any
from uuid import UUID

import msgspec

from typed_pubsub.schema.source.layout import Expression, call, quoted
from typed_pubsub.schema.source.names import Imports

_MOMENTS: Mapping[str, Any] = {"date": date, "time": time, "date-time": datetime}

#: The classes whose constructor takes the text, by format.
TEXT_CLASSES: Mapping[str, str] = {
    **dict.fromkeys(("uuid", *(f"uuid{number}" for number in range(1, 9))), "uuid.UUID"),
    "ipv4": "ipaddress.IPv4Address",
    "ipv6": "ipaddress.IPv6Address",
    "ipv4network": "ipaddress.IPv4Network",
    "ipv6network": "ipaddress.IPv6Network",
    "ipv4interface": "ipaddress.IPv4Interface",
    "ipv6interface": "ipaddress.IPv6Interface",
    "path": "pathlib.Path",
    "file-path": "pathlib.Path",
    "directory-path": "pathlib.Path",
    "password": "pydantic.SecretStr",
}


def moment(imports: Imports, form: str, text: str) -> Expression:
    """A date, time, date-time or duration in ISO form. Raises ValueError if it is none."""
    if form == "duration":
        return _timedelta(imports, msgspec.convert(text, timedelta))
    kind = _MOMENTS[form]
    kind.fromisoformat(text)
    return call(f"{imports(f'datetime.{kind.__name__}')}.fromisoformat", quoted(text))


def decimal(imports: Imports, value: Any) -> Expression:
    """A Decimal, of its text or a number. Raises ValueError if it is none."""
    try:
        Decimal(str(value))
    except DecimalException as error:
        raise ValueError(f"{value!r} is no decimal") from error
    text = str(value)
    is_whole = text.isdecimal() and text == str(int(text))
    return call(imports("decimal.Decimal"), text if is_whole else quoted(text))


def formatted(imports: Imports, form: str | None, text: str) -> Expression:
    """A text of a format as the class that stands for it, or as text. Raises ValueError if it is none."""
    if form in _MOMENTS or form == "duration":
        return moment(imports, form or "", text)
    if form == "decimal":
        return decimal(imports, text)
    if form is not None and form in TEXT_CLASSES:
        if form.startswith("uuid"):
            UUID(text)
        return call(imports(TEXT_CLASSES[form]), quoted(text))
    return quoted(text)


def _timedelta(imports: Imports, value: timedelta) -> Expression:
    given = {"days": value.days, "seconds": value.seconds, "microseconds": value.microseconds}
    items = [(f"{unit}=", repr(count)) for unit, count in given.items() if count != 0]
    return call(imports("datetime.timedelta"), *items)
