"""Optional dependencies: a face whose framework is missing says which extra brings it."""

import importlib


class MissingExtra(ModuleNotFoundError):
    """What an extra of this package brings is not installed; the text is the command that installs it."""


def require(module: str, extra: str) -> None:
    """Imports what an extra of this package brings.

    Raises:
        MissingExtra: it is not installed. Whatever else is missing inside of it, or fails there, comes through as it
            is.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        msg = f"{module} is not installed: pip install 'typed-pubsub[{extra}]'"
        raise MissingExtra(msg, name=module) from None
