"""Named evolutions of events with their true verdicts: what a checker of compatibility is judged by."""

from tests.schema.evolutions import (
    code,
    flags,
    holders,
    keys,
    members,
    moments,
    names,
    nested,
    numbers,
    structs,
    texts,
    unions,
)
from tests.schema.evolutions.evolution import Evolution

THEMES = (members, numbers, flags, texts, moments, unions, holders, keys, nested, names, code, structs)
EVOLUTIONS: list[Evolution] = [evolution for theme in THEMES for evolution in theme.EVOLUTIONS]
