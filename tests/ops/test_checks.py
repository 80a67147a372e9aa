"""Each finding happens in a service that gives cause for it, none in one that does not; the page has all of them."""

import importlib
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from tests.ops.causes import CAUSES, SERVICE
from tests.support.amqp import linked
from tests.support.children import ROOT, environment
from typed_pubsub import PubSubConfig, Registry
from typed_pubsub.brokers.topology import ensure_bindings, ensure_exchange, ensure_queue
from typed_pubsub.ops.checks.celery import HAZARDS
from typed_pubsub.ops.checks.rules import RULES, Finding
from typed_pubsub.ops.checks.service import Checked, Wanted, check

Make = Callable[..., Checked]


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Make]:
    """Checks the service with a part added to it."""
    name = f"checked_{re.sub(r'[^a-z0-9]', '_', request.node.name.lower())}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def look(part: str = "", *, broker: float | None = None, run: bool = True, **settings: Any) -> Checked:
        (tmp_path / f"{name}.py").write_text(f"{dedent(SERVICE)}\n\n{part}\n")
        module = importlib.import_module(name)
        for path, text in getattr(module, "SCHEMAS", {}).items():
            (tmp_path / "schemas" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "schemas" / path).write_text(text)
        wanted = Wanted(run=run, schemas=Path("schemas"), broker=broker)
        return check(lambda: module.config(**settings), wanted, module.REGISTRY)

    yield look
    sys.modules.pop(name, None)


def lines(checked: Checked) -> list[str]:
    return [f"{one.severity} {one.id} {one.where}: {one.message}" for one in checked.findings]


def test_a_service_that_is_right_has_no_finding(checked: Make) -> None:
    found = checked()
    assert lines(found) == []
    assert (found.events, found.routes) == (1, 1)
    assert 50 < found.tried <= 100


@pytest.mark.once
@pytest.mark.parametrize("rule", [rule for rule in RULES if not rule.startswith("TP7")])
def test_a_finding_is_told_of_a_service_that_gives_cause_for_it(rule: str, checked: Make) -> None:
    cause, said = CAUSES[rule]
    found = checked(cause)
    told = [line for line in lines(found) if line.startswith(f"{RULES[rule].severity} {rule} ")]
    assert any(said in line for line in told), lines(found)
    others = {one.id for one in found.findings} - {rule}
    assert others <= ({"TP502"} if rule.startswith("TP5") else {"TP206"} if rule == "TP310" else set())
    assert "s3cret" not in "".join(lines(found))


def test_a_broker_that_does_not_answer_is_a_finding(checked: Make) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"amqp://guest:s3cret@127.0.0.1:{taken.getsockname()[1]}//"
        found = checked(broker=2.0, broker_url=url)
    (line,) = lines(found)
    assert line.startswith("error TP701 BROKER_URL: no connection to amqp://guest:**@127.0.0.1:")


def test_what_the_broker_does_not_have_is_a_finding(checked: Make, broker_url: str) -> None:
    found = lines(checked(broker=10.0, broker_url=broker_url))
    assert found == [
        "warning TP702 exchange events: there is none",
        "warning TP702 queue service: there is none",
        "warning TP702 queue service.dlq: there is none",
    ]


def test_what_the_broker_has_otherwise_is_a_finding(checked: Make, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/other.db"
    with linked(url) as link:
        ensure_exchange(link, "events")
        # The service's routes are for checked.paid.
        ensure_queue(link, "service", {"x-max-length": 7, "x-overflow": "reject-publish"})
        ensure_bindings(link, "service", "events", ["old.#"])
    found = lines(checked(broker=10.0, broker_url=url))
    assert found[0].startswith("warning TP702 queue service: it is not bound with")
    assert found[1] == "warning TP702 queue service.dlq: there is none"
    assert found[2].startswith("warning TP703 queue 'service': ")
    assert "x-max-length is 7, declared none" in found[2]
    assert found[3:] == [
        "warning TP704 queue service: it is bound to exchange 'events' with 'old.#', and no route wants that"
    ]


def test_every_id_has_a_cause_here_and_a_section_on_the_page() -> None:
    assert list(CAUSES) == list(RULES)
    page = (ROOT / "docs" / "checks.md").read_text()
    sections = re.findall(r"^### (TP\d+): (.*)\n\n(\w+)\. ((?:.|\n)*?)\n\nFix: (.+)$", page, re.MULTILINE)
    assert [(id_, title, severity.lower()) for id_, title, severity, _, _ in sections] == [
        (rule.id, rule.title, rule.severity) for rule in RULES.values()
    ]


def test_ids_are_grouped_by_hundreds_and_in_order() -> None:
    assert list(RULES) == sorted(RULES)
    assert {re.sub(r"\d\d$", "", rule) for rule in RULES} == {f"TP{group}" for group in range(1, 8)}


def test_a_service_that_only_publishes_gets_only_what_fits_it(checked: Make) -> None:
    found = checked("", queue_name=None, task_mapping=None, get_celery_app=None)
    assert lines(found) == []
    assert (found.events, found.routes, found.tried) == (1, 0, 0)


def test_without_running_no_handler_is_run(checked: Make) -> None:
    part = "@mapping.on(Paid, name='wrong')\ndef wrong(event):\n    print('RAN')\n    return 1 // 0"
    assert lines(checked(part, run=False)) == []


def test_a_naive_datetime_that_a_team_lives_with_is_no_finding(checked: Make) -> None:
    part = CAUSES["TP203"][0] + (
        "\nfrom typed_pubsub.schema import canonical, schema_of"
        "\nSCHEMAS = {f'{key}/1.json': canonical(schema_of(cls)) for key, cls in "
        "(('checked.naive', Naive), ('checked.{shop}.paid', Paid))}"
        '\nSCHEMAS[\'ignore.toml\'] = \'[[ignore]]\\nevent = "checked.naive"\\nrule = "may-be-naive"\\nreason = "r"\''
    )
    assert lines(checked(part)) == []


def test_every_event_module_has_its_own_error(checked: Make, tmp_path: Path) -> None:
    (tmp_path / "first_events.py").write_text("1 // 0\n")
    (tmp_path / "second_events.py").write_text("from typed_pubsub import Event\nclass Keyless(Event): ...\n")
    found = lines(checked("", events=["first_events", "no_events", "second_events"]))
    assert [line.partition(": ")[0] for line in found] == [
        "error TP201 first_events",
        "error TP201 no_events",
        "error TP202 second_events",
    ]
    assert "ZeroDivisionError at first_events:1" in found[0]


def test_every_row_and_every_route_has_its_own_error(checked: Make) -> None:
    rows: list[dict[str, Any]] = [{"routing_key": "a.key"}, {"task": "a.task"}]
    found = lines(checked("", task_mapping=rows))
    assert [line.partition(": lacks ")[0] for line in found] == [
        "error TP301 TASK_MAPPING: PUBSUB_TASK_MAPPING[0]",
        "error TP301 TASK_MAPPING: PUBSUB_TASK_MAPPING[1]",
    ]


def test_every_route_of_a_superseded_version_has_its_own_error(checked: Make) -> None:
    part = """
class Old(Event, routing_key="checked.old", registry=REGISTRY): ...
class New(Event, routing_key="checked.old", registry=REGISTRY, version=2): ...
for name in ("one", "two"):
    mapping.route(Old).to(pack, lambda e, send: send(UUID(int=1)), name=name)
"""
    found = [line for line in lines(checked(part)) if "TP301" in line]
    assert [line.partition(" (version")[0] for line in found] == [
        f"error TP301 TASK_MAPPING: route {name}: Old" for name in ("one", "two")
    ]


def test_without_hypothesis_a_note_says_what_was_not_tried(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['hypothesis'] = None; from typed_pubsub.cli import main; "
        "main(['check', '-A', 'examples.quickstart.mailer:config'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "note TP310 TASK_MAPPING: the routes were not tried: that needs Hypothesis",
        "  pip install 'typed-pubsub[cli]'",
        "1 event, 1 route: 1 note",
    ]


def test_the_smallest_event_is_the_example_and_different_errors_are_told_apart(checked: Make) -> None:
    part = """
class Small(Event, routing_key="checked.small", registry=REGISTRY):
    count: int = Field(ge=0)
    word: str

@mapping.on(Small, name="wrong")
def wrong(event):
    if event.count > 3:
        raise ValueError(event.word)
    if event.word:
        raise KeyError(event.word)
    return call(pack, UUID(int=1))
"""
    found = lines(checked(part))
    by_count, by_word = sorted(found, key=lambda line: "ValueError" not in line)
    assert "the handler raises ValueError at " in by_count
    assert by_count.endswith('for example checked.small {"count": 4, "word": ""}')
    assert "the handler raises KeyError at " in by_word
    assert '{"count": 0, "word": ' in by_word


def test_a_remote_task_called_wrongly_is_an_argument_that_does_not_fit(checked: Make) -> None:
    part = """
@remote_task("other.task")
def other(order_id: UUID) -> None: ...

mapping.route(Paid).to(other, lambda e, send: send(), name="far")
"""
    found = [one for one in checked(part).findings if one.id == "TP401"]
    assert [one.where for one in found] == ["route far"]
    assert found[0].message.startswith("other.task() missing a required argument: 'order_id'; for example ")


def test_a_finding_names_file_and_line(checked: Make) -> None:
    found: tuple[Finding, ...] = checked("\n\n\n@mapping.on(Paid, name='w')\ndef w(event):\n    1 // 0").findings
    place = found[0].place
    assert place is not None
    text = Path(place.file).read_text().splitlines()[place.line - 1]
    assert text == "@mapping.on(Paid, name='w')"


def test_handlers_may_end_the_process_and_the_others_are_tried_all_the_same(checked: Make) -> None:
    part = "@mapping.on(Paid, name='w')\ndef w(event):\n    raise SystemExit(3)"
    assert [line[:21] for line in lines(checked(part))] == ["error TP303 route w: "]


def test_a_hazard_of_the_subscribers_start_is_a_finding_with_the_same_words() -> None:
    source = (ROOT / "typed_pubsub" / "tasks" / "hazards.py").read_text()
    told = set(re.findall(r'Hazard\(\s*"([a-z-]+)"', source))
    # What stands at the broker is not looked at.
    assert told - {"queues-used-as-found"} == set(HAZARDS)


def test_the_checks_pass_for_the_services_of_this_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    from examples.quickstart import mailer  # noqa: PLC0415  # its events join the default registry
    from typed_pubsub.demo import query  # noqa: PLC0415  # as above

    wanted = Wanted(schemas=None)
    assert {one.severity for one in check(lambda: mailer.config, wanted).findings} <= {"warning", "note"}
    found = [one for one in check(lambda: query.config, wanted).findings if "route" in one.where]
    # Nobody has thought of friendlies: that is the story of the demo.
    assert [(one.id, one.where) for one in found] == [("TP304", "route run_script")]


def test_a_config_that_is_right_by_itself_is_no_finding() -> None:
    config = PubSubConfig(broker_url="sqlite:///there.db", exchange="events", source="here")
    assert check(lambda: config, Wanted(), Registry()).findings == ()
