"""The gate: today's events against the committed contracts, each side's promise kept or broken.

A *publisher* must write what readers of the committed file of the same version accept. A *consumer* must accept what
every committed version writes, through its upcasts. What was before a file's last commit is git's to tell
(``git:REV``).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from typed_pubsub.events.keyed import read_event
from typed_pubsub.events.registry import EventClass, EventMeta, meta_of, registry_of
from typed_pubsub.events.upcasts import Chain, StepFailed, chains_to
from typed_pubsub.schema.closed import without_notes, written
from typed_pubsub.schema.compatibility import Problem, problems
from typed_pubsub.schema.doubts import DOUBTED, Doubt, doubts
from typed_pubsub.schema.export import canonical, schema_of
from typed_pubsub.schema.files import SchemaFile
from typed_pubsub.schema.fits import fits
from typed_pubsub.schema.ignores import Ignore

Role: TypeAlias = Literal["publisher", "consumer", "both"]
Side: TypeAlias = Literal["publisher", "consumer"]
Kind: TypeAlias = Literal["incompatible", "ignored", "changed", "new", "orphan", "newer", "unproven", Doubt, "unused"]
#: ``find_refused``, or None where Hypothesis is not installed.
Search: TypeAlias = Callable[..., Any] | None

WHO: dict[Side, str] = {
    "consumer": "a service that still publishes the committed form will be refused here",
    "publisher": "a service that still reads the committed form will refuse what is published here",
}
#: Kinds that say that files and events are not the same.
DRIFT: frozenset[Kind] = frozenset({"changed", "new", "orphan", "newer"})


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the gate has to say of a contract.

    ``rule`` and ``path`` are set for what can be ignored, ``side`` for incompatibilities, ``refused`` (a
    ``bodies.Sent``) where an event was found that shows one, ``text`` for what is new or changed: what the file of it
    is to say.
    """

    kind: Kind
    key: str
    version: int
    message: str
    rule: str = ""
    path: str = ""
    side: Side | None = None
    refused: Any = None
    text: str | None = None


def counterexamples() -> Search:
    """The search for events that show a break, where Hypothesis is installed; verdicts need none."""
    try:
        from typed_pubsub.schema.counterexamples import find_refused  # noqa: PLC0415  # it needs Hypothesis
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        return None
    return find_refused


def check(
    events: Iterable[EventClass],
    files: Sequence[SchemaFile],
    *,
    role: Role = "both",
    ignores: Sequence[Ignore] = (),
    search: Search = None,
) -> list[Finding]:
    """Everything that there is to say, by key and version; nothing, if files and events are the same.

    Raises:
        DefinitionError: an event has no schema, or upcasts do not lead to the newest version.
    """
    gate = _Gate(files, role, ignores, search)
    found = [*gate.findings(list(events))]
    return sorted(found, key=lambda one: (one.key, one.version))


class _Gate:
    def __init__(self, files: Sequence[SchemaFile], role: Role, ignores: Sequence[Ignore], search: Search) -> None:
        self._files: dict[str, dict[int, SchemaFile]] = {}
        for file in files:
            self._files.setdefault(file.template.text, {})[file.version] = file
        self._role = role
        self._ignores = ignores
        self._search = search
        self._used: set[Ignore] = set()

    def findings(self, events: list[EventClass]) -> Iterator[Finding]:
        for event in events:
            meta = meta_of(event)
            key, version = meta.key.text, meta.version
            schema = schema_of(event)
            yield from map(self._unless_ignored, _doubts(key, version, schema))
            file = self._files.get(key, {}).get(version)
            if file is None:
                yield Finding("new", key, version, "there is no schema file of it", text=canonical(schema))
            else:
                yield from self._same_version(event, schema, file)
            if registry_of(event).newest(key) is event:
                yield from self._other_versions(event, schema)
        for key in self._files.keys() - {meta_of(event).key.text for event in events}:
            for version in self._files[key]:
                yield Finding("orphan", key, version, "no event is bound to its routing key any more")
        for ignore in self._ignores:
            if ignore not in self._used:
                told = f"the entry for rule {ignore.rule!r} in ignore.toml is not needed ({ignore.reason})"
                yield Finding("unused", ignore.event, ignore.version or 0, told)

    def _same_version(self, event: EventClass, schema: dict[str, Any], file: SchemaFile) -> Iterator[Finding]:
        text = canonical(schema)
        if file.text == text:
            return
        meta = meta_of(event)
        found: list[Finding] = []
        if self._role != "consumer":
            accepts = _by_schema(file)
            found += self._judged(meta, written(schema), file.schema, "publisher", meta.version, accepts)
        if self._role != "publisher":
            found += self._judged(meta, written(file.schema), schema, "consumer", meta.version, _by_model(meta))
        yield from found
        if not any(one.kind == "incompatible" for one in found):
            alike = without_notes(schema) == without_notes(file.schema)
            told = "only in what is said to people" if alike else "compatibly"
            yield Finding("changed", meta.key.text, meta.version, f"it differs from its schema file {told}", text=text)

    def _other_versions(self, event: EventClass, schema: dict[str, Any]) -> Iterator[Finding]:
        meta = meta_of(event)
        chains = chains_to(meta, registry_of(event))
        for version, file in self._files.get(meta.key.text, {}).items():
            if version > meta.version:
                told = f"the newest version known here is {meta.version}"
                yield Finding("newer", meta.key.text, version, told)
            elif version < meta.version and self._role != "publisher":
                yield from self._older(meta, schema, file, chains.get(version))

    def _older(
        self, meta: EventMeta, schema: dict[str, Any], file: SchemaFile, chain: Chain | None
    ) -> Iterator[Finding]:
        writes = written(file.schema)
        if chain is None:
            yield from self._judged(meta, writes, schema, "consumer", file.version, _by_model(meta))
            return
        first = chain.steps[0]
        if first.result is not None:
            accepts = _by_model(meta_of(first.event))
            found = [*self._judged(meta, writes, schema_of(first.event), "consumer", file.version, accepts)]
            yield from found
            if found:
                return
        # What the steps do is code: nobody can prove it, but it can be tried.
        yield from self._tried(meta, writes, chain, file.version)

    def _tried(self, meta: EventMeta, writes: dict[str, Any], chain: Chain, version: int) -> Iterator[Finding]:
        path = " -> ".join(step.function.__name__ for step in chain.steps)
        if self._search is None:
            told = f"its upcast {path} was not tried: that needs Hypothesis (pip install 'typed-pubsub[cli]')"
            yield Finding("unproven", meta.key.text, version, told)
            return
        refused = self._search(writes, meta.key, _by_chain(chain))
        if refused is not None:
            problem = Problem("$", "upcast", f"what it may write is refused: {_why(chain, refused)}")
            yield self._finding(meta.key.text, version, problem, "consumer", refused)

    def _judged(  # noqa: PLR0917  # the two sides, and who they are
        self, meta: EventMeta, writer: dict[str, Any], reader: dict[str, Any], side: Side, version: int,
        accepts: Callable[[Any], bool],
    ) -> Iterator[Finding]:  # fmt: skip
        found = problems(writer, reader)
        refused = self._search(writer, meta.key, accepts, beside=reader) if found and self._search is not None else None
        for problem in found:
            yield self._finding(meta.key.text, version, problem, side, refused)

    def _finding(self, key: str, version: int, problem: Problem, side: Side, refused: Any) -> Finding:
        told = (problem.message, problem.rule, problem.path, side, refused)
        return self._unless_ignored(Finding("incompatible", key, version, *told))

    def _unless_ignored(self, found: Finding) -> Finding:
        for ignore in self._ignores:
            if ignore.covers(found.key, found.version, found.rule, found.path):
                self._used.add(ignore)
                told = f"{found.message}; ignored: {ignore.reason}"
                return replace(found, kind="ignored", message=told, refused=None)
        return found


def _by_schema(file: SchemaFile) -> Callable[[Any], bool]:
    return lambda sent: fits(file.schema, sent.value)


def _by_model(meta: EventMeta) -> Callable[[Any], bool]:
    return lambda sent: reads(meta, sent)


def reads(meta: EventMeta, sent: Any) -> bool:
    """Whether the model accepts what was sent (a ``bodies.Sent``)."""
    return _succeeds(lambda: read_event(meta, sent.routing_key, sent.body))


def _by_chain(chain: Chain) -> Callable[[Any], bool]:
    return lambda sent: _succeeds(lambda: chain.read(sent.routing_key, sent.body))


def _succeeds(act: Callable[[], Any]) -> bool:
    try:
        act()
    except Exception:  # noqa: BLE001  # whatever the user's code raises is a refusal
        return False
    return True


def _why(chain: Chain, refused: Any) -> str:
    try:
        chain.read(refused.routing_key, refused.body)
    except StepFailed as failed:
        return f"{failed.place}: {type(failed.error).__name__}: {failed.error}"
    except Exception as error:  # noqa: BLE001  # as above
        return str(error) or type(error).__name__
    return "not every time"


def _doubts(key: str, version: int, schema: dict[str, Any]) -> Iterator[Finding]:
    for kind, path, told in sorted(doubts(schema)):
        yield Finding(kind, key, version, told, DOUBTED[kind], path)
