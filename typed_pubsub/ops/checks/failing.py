"""What is told of an exception out of a service's own code, in one line."""

import traceback

from typed_pubsub.errors import PubSubError
from typed_pubsub.routing.failures import describe_failure

_LONGEST = 300


def told(error: BaseException) -> str:
    """Class, place and text; of an error of this library the text, which says it all."""
    where, text = describe_failure(error)
    told = text if isinstance(error, PubSubError) else f"{where}: {text}" if text else where
    line = " ".join(told.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def passes(error: BaseException, module: str, *functions: str) -> bool:
    """Whether one of these functions of a module stands in the error's traceback."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") == module and frame.f_code.co_name in functions:
            return True
    return False
