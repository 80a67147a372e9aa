"""What the gate of schemas has to say, for people, for programs and for GitHub."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from typed_pubsub.cli.github import annotation
from typed_pubsub.schema.gate import WHO, Finding

#: Kinds in the order of their weight, each with its level on GitHub.
_LEVELS = {
    "incompatible": "error",
    "changed": "notice",
    "new": "notice",
    "orphan": "warning",
    "newer": "warning",
    "unproven": "warning",
    "naive": "warning",
    "unused": "warning",
    "ignored": "notice",
}
_WRITE = "'typed-pubsub schema write' writes it"
_REMEDIES = {
    "changed": _WRITE,
    "new": _WRITE,
    "orphan": "its consumers hear nothing now; delete the file if that is meant, or name the module of the event too",
    "newer": "this service is older than its schemas: bring both together",
    "unused": "delete the entry",
}


def render(form: str, findings: Sequence[Finding], directory: str, contracts: int) -> str:
    """All findings as text, which ends with a summary, as json or for github."""
    if form == "json":
        return msgspec.json.format(msgspec.json.encode([*map(_as_dict, findings)])).decode()
    lines = _github(findings, directory) if form == "github" else _text(findings, contracts)
    return "\n".join(lines)


def _text(findings: Sequence[Finding], contracts: int) -> Iterator[str]:
    kinds = list(_LEVELS)
    for key, version in dict.fromkeys((one.key, one.version) for one in findings):
        of_contract = [one for one in findings if (one.key, one.version) == (key, version)]
        yield f"{key} version {version}" if version else key
        for side, who in WHO.items():
            yield from _broken([one for one in of_contract if (one.kind, one.side) == ("incompatible", side)], who)
        others = [one for one in of_contract if one.kind != "incompatible"]
        yield from (f"  {_sentence(one)}" for one in sorted(others, key=lambda one: kinds.index(one.kind)))
    counts = Counter[str](one.kind for one in findings)
    told = [f"{counts[kind]} {kind}" for kind in kinds if counts[kind]]
    if counts["incompatible"]:
        yield "raise version= of what breaks, with an upcast for the old one, or give the reason in ignore.toml"
    yield f"{contracts} contract{'s' if contracts != 1 else ''}: {', '.join(told) or 'as committed'}"


def _broken(findings: Sequence[Finding], who: str) -> Iterator[str]:
    """The incompatibilities that hurt one side, and an event that shows them."""
    if not findings:
        return
    yield f"  incompatible: {who}"
    yield from (f"    {one.path} [{one.rule}]: {one.message}" for one in findings)
    if (refused := findings[0].refused) is not None:
        yield f"    for example {refused.routing_key} {refused.body.decode()}"


def _sentence(one: Finding) -> str:
    at = " ".join(part for part in (one.path, f"[{one.rule}]" if one.rule else "") if part)
    remedy = f": {_REMEDIES[one.kind]}" if one.kind in _REMEDIES else ""
    return f"{one.kind}{' ' + at if at else ''}: {one.message}{remedy}"


def _github(findings: Iterable[Finding], directory: str) -> Iterator[str]:
    for one in findings:
        place = f"{directory}/{one.key}/{one.version}.json"
        text = _sentence(one)
        if one.kind == "incompatible" and one.side is not None:
            text += f"; so {WHO[one.side]}"
            if one.refused is not None:
                text += f"\nfor example {one.refused.routing_key} {one.refused.body.decode()}"
        title = f"{one.key} version {one.version}"
        yield annotation(_LEVELS[one.kind], text, file=place, title=title)


def _as_dict(one: Finding) -> dict[str, Any]:
    refused = None
    if one.refused is not None:
        refused = {"routing_key": one.refused.routing_key, "body": one.refused.value}
    return {
        "kind": one.kind,
        "event": one.key,
        "version": one.version,
        "rule": one.rule or None,
        "path": one.path or None,
        "side": one.side,
        "message": one.message,
        "example": refused,
    }
