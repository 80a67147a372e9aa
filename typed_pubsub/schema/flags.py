"""What the members of a Flag may be combined to, as a schema: ``A | B`` is written as a number that no member has."""

from enum import STRICT, Flag
from typing import Any

# So many combinations are told one by one.
_FEW_BITS = 8


def flag_schema(cls: type[Flag]) -> dict[str, Any]:
    """Of the numbers that a field of this class may hold, pydantic's and msgspec's alike.

    Any boundary but STRICT takes any integer. With it an ``enum`` says up to 256 combinations, and a ``maximum`` those
    of a Flag that has a member for every bit.

    Raises:
        TypeError: there are more, with gaps between them, or a negative one.
    """
    if getattr(cls, "_boundary_", None) is not STRICT:
        return {"type": "integer"}
    values: set[int] = {member.value for member in cls.__members__.values()}
    mask = 0
    for value in values:
        mask |= value
    bits = [1 << place for place in range(mask.bit_length()) if mask >> place & 1]
    if mask >= 0 and len(bits) <= _FEW_BITS:
        return {"enum": sorted(value for value in _combined(bits) if _is_one(cls, value)), "type": "integer"}
    if values.issuperset(bits) and mask == (1 << len(bits)) - 1:
        return {"type": "integer", "minimum": 0, "maximum": mask}
    raise TypeError(
        f"{cls.__qualname__} has combinations that cannot be told: give it boundary=KEEP, or a field of int"
    )


def _combined(bits: list[int]) -> list[int]:
    values = [0]
    for bit in bits:
        values += [value | bit for value in values]
    return values


def _is_one(cls: type[Flag], value: int) -> bool:
    try:
        cls(value)
    except ValueError:
        return False
    return True
