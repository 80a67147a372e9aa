"""Annotations of GitHub workflows: lines on standard output that it shows beside the code."""


def annotation(level: str, text: str, **properties: str) -> str:
    """One annotation: ``level`` is error, warning or notice; properties are ``file``, ``line`` and ``title``."""
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{level} {given}::{_data(text)}"


def _data(text: str) -> str:
    # As GitHub's own toolkit escapes them.
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
