"""Named evolutions of events with their true verdicts: what a checker of compatibility is judged by."""

from tests.schema.evolutions import members, numbers
from tests.schema.evolutions.evolution import Evolution

EVOLUTIONS: list[Evolution] = [*members.EVOLUTIONS, *numbers.EVOLUTIONS]
