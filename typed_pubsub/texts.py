"""Senders' words where people read them: on a terminal and in a log."""


def printable(text: str, keep: str = "") -> str:
    r"""The text with escapes (``\x1b``) for what could steer a terminal or break a line; ``keep`` stays as it is."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() or char in keep else char.encode("unicode_escape").decode() for char in text
    )
