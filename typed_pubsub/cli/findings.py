"""What the gate of schemas has to say, for people, for programs and for GitHub."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import msgspec

from typed_pubsub.cli.github import annotation
from typed_pubsub.schema.differences import Difference
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
    "local": "warning",
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


def render(form: str, findings: Sequence[Finding], directory: str, contracts: int, against: str | None = None) -> str:
    """All findings as text, which ends with a summary, as json or for github; ``against`` is as for ``read_files``."""
    if form == "json":
        return _json(map(_as_dict, findings))
    remedies = _REMEDIES if against is None else {**_REMEDIES, **_beside(against)}
    lines = _github(findings, directory, remedies) if form == "github" else _text(findings, contracts, remedies)
    return "\n".join(lines)


def render_differences(form: str, found: Iterable[Difference]) -> str:
    """The differences as unified diffs one after the other, or as json."""
    if form != "json":
        return "".join(one.diff for one in found)
    names = {"key": "event", "path": "file"}
    return _json({names.get(name, name): value for name, value in asdict(one).items()} for one in found) + "\n"


def _json(values: Iterable[Any]) -> str:
    return msgspec.json.format(msgspec.json.encode([*values])).decode()


def _beside(against: str) -> dict[str, str]:
    """What is to be said where files are held against that nobody is to write: those of a revision, or of others."""
    return {
        "changed": f"the file is that of {against}",
        "new": f"{against} does not have it, so there is nothing that it could break",
        "orphan": f"{against} has its file, and its consumers hear nothing now; or name the module of the event too",
    }


def _text(findings: Sequence[Finding], contracts: int, remedies: Mapping[str, str]) -> Iterator[str]:
    kinds = list(_LEVELS)
    for key, version in dict.fromkeys((one.key, one.version) for one in findings):
        of_contract = [one for one in findings if (one.key, one.version) == (key, version)]
        yield f"{key} version {version}" if version else key
        for side, who in WHO.items():
            yield from _broken([one for one in of_contract if (one.kind, one.side) == ("incompatible", side)], who)
        others = [one for one in of_contract if one.kind != "incompatible"]
        yield from (f"  {_sentence(one, remedies)}" for one in sorted(others, key=lambda one: kinds.index(one.kind)))
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


def _sentence(one: Finding, remedies: Mapping[str, str]) -> str:
    at = " ".join(part for part in (one.path, f"[{one.rule}]" if one.rule else "") if part)
    remedy = f": {remedies[one.kind]}" if one.kind in remedies else ""
    return f"{one.kind}{' ' + at if at else ''}: {one.message}{remedy}"


def _github(findings: Iterable[Finding], directory: str, remedies: Mapping[str, str]) -> Iterator[str]:
    for one in findings:
        place = f"{directory}/{one.key}/{one.version}.json"
        text = _sentence(one, remedies)
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
