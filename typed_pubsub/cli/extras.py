"""Optional dependencies: a face whose framework is missing says which extra brings it."""

import importlib


def require(module: str, extra: str) -> None:
    """Imports what an extra of this package brings.

    Raises:
        ModuleNotFoundError: it is not installed; the text is the command that installs it. Whatever else is missing
            inside of it, or fails there, comes through as it is.
    """
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        msg = f"{module} is not installed: pip install 'typed-pubsub[{extra}]'"
        raise ModuleNotFoundError(msg, name=module) from None
