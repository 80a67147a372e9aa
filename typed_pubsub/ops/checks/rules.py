"""The table of findings: ids never change, and none is used again for another thing.

Pure and quick to import: the command line completes ids from here.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Severity: TypeAlias = Literal["error", "warning", "note"]

#: By weight.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of finding; ``title`` is the head of its section in docs/checks.md."""

    id: str
    severity: Severity
    title: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the code: a file, relative to the current directory where it is below, and a line from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """Something that is wrong, or worth knowing.

    ``where`` is a setting, a class, a route or a key; ``fix`` is what to do about it.
    """

    id: str
    where: str
    message: str
    fix: str
    severity: Severity
    place: Place | None = None


RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (
        Rule("TP101", "error", "A setting is missing or wrong"),
        Rule("TP102", "warning", "A name is no setting"),
        Rule("TP103", "error", "The settings cannot be imported"),
        Rule("TP104", "error", "A dotted path leads nowhere"),
        Rule("TP105", "error", "Half of a subscriber"),
        Rule("TP106", "warning", "The event broker is reached in plain text"),
        Rule("TP107", "warning", "DEFAULT_VERSION is newer than an event"),
        Rule("TP201", "error", "A module of events cannot be imported"),
        Rule("TP202", "error", "An event is declared wrongly"),
        Rule("TP203", "warning", "A datetime may be naive"),
        Rule("TP204", "warning", "A deprecated event is routed"),
        Rule("TP205", "note", "An old version has no upcast"),
        Rule("TP206", "warning", "An event has no JSON Schema"),
        Rule("TP207", "warning", "The reader's clock or machine has a say"),
        Rule("TP301", "error", "A route or a row is declared wrongly"),
        Rule("TP302", "error", "A route is to a task that the app does not have"),
        Rule("TP303", "error", "A route fails for every event"),
        Rule("TP304", "warning", "A handler raises for some events"),
        Rule("TP305", "warning", "A condition raises for some events"),
        Rule("TP306", "note", "A task is another service's"),
        Rule("TP307", "note", "A row is for a key without a model"),
        Rule("TP308", "error", "A row is for a key without a model, and REQUIRE_MODELS is set"),
        Rule("TP309", "warning", "There is no route"),
        Rule("TP310", "note", "A route was not tried"),
        Rule("TP401", "error", "Arguments do not fit the task"),
        Rule("TP402", "error", "An argument cannot be serialized"),
        Rule("TP403", "error", "A task option is not known"),
        Rule("TP404", "error", "The message of a task cannot be made"),
        Rule("TP501", "error", "A contract is broken"),
        Rule("TP502", "warning", "Events and schema files differ"),
        Rule("TP503", "error", "The schema files cannot be read"),
        Rule("TP504", "note", "A contract could not be judged, or need not be ignored"),
        Rule("TP601", "error", "The Celery app cannot be used"),
        Rule("TP602", "warning", "Tasks are acknowledged before they run"),
        Rule("TP603", "warning", "A task is lost with its process"),
        Rule("TP604", "warning", "What workers reject is gone"),
        Rule("TP605", "warning", "A worker would hold a task for too long"),
        Rule("TP606", "error", "Celery's workers consume the event queue"),
        Rule("TP701", "error", "The event broker does not answer"),
        Rule("TP702", "warning", "The broker has not what the service declares"),
        Rule("TP703", "warning", "The broker has something else under the name"),
        Rule("TP704", "warning", "A binding brings what no route wants"),
    )
}


def finding(rule: str, where: str, message: str, fix: str, place: Place | None = None) -> Finding:
    """A finding of a rule, with its severity. ``message`` and ``fix`` are clauses without a full stop."""
    return Finding(rule, where, " ".join(message.split()), fix, RULES[rule].severity, place)
