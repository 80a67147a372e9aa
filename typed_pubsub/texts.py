"""Senders' words where people read them: on a terminal and in a log."""


def printable(text: str, keep: str = "", most: int | None = None) -> str:
    r"""The text with escapes (``\x1b``) for what could steer a terminal or break a line; ``keep`` stays as it is.

    Of a text of more than ``most`` characters only these, and dots.
    """
    if most is not None and len(text) > most:
        return f"{printable(text[:most], keep)}..."
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode() for char in text
    )
