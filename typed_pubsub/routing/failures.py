"""What may be said of an exception out of the user's code: its class and where it was raised, not what it says."""

from types import TracebackType


def describe_failure(error: BaseException) -> tuple[str, str]:
    """The exception's class and code line, which may be logged, and its text, which may quote the event.

    Never raises, whatever the exception's own ``__str__`` does (the user's Ctrl-C excepted).
    """
    try:
        text = str(error)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  # somebody else's __str__
        text = "(its text cannot be had)"
    return f"{type(error).__name__}{_line(error.__traceback__)}", text


def _line(traceback: TracebackType | None) -> str:
    if traceback is None:
        return ""
    shown = traceback
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
        # Where a model refuses its values, or has no such field, pydantic's own line helps nobody.
        if not str(traceback.tb_frame.f_globals.get("__name__")).startswith("pydantic."):
            shown = traceback
    frame = shown.tb_frame
    return f" at {frame.f_globals.get('__name__', '?')}:{shown.tb_lineno} in {frame.f_code.co_name}"
