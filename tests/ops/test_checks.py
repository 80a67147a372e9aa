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

from tests.support.amqp import linked
from tests.support.children import ROOT, environment
from typed_pubsub import PubSubConfig, Registry
from typed_pubsub.brokers.topology import ensure_bindings, ensure_exchange, ensure_queue
from typed_pubsub.ops.checks.celery import HAZARDS
from typed_pubsub.ops.checks.rules import RULES, Finding
from typed_pubsub.ops.checks.service import Checked, Wanted, check

#: A service that is right. What follows it in a test is its wrong part.
SERVICE = """
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from celery import Celery
from pydantic import AwareDatetime, Field, field_validator
from typed_pubsub import (
    Event, PubSubConfig, Registry, StructEvent, TaskMapping, call, remote_task, upcast
)

REGISTRY = Registry()
app = Celery("service", broker="amqp://guest:s3cret@127.0.0.1//", set_as_current=False)
app.conf.update(task_acks_late=True, task_reject_on_worker_lost=True, task_default_queue="service.tasks")
app.conf.task_queue_max_priority = None
mapping = TaskMapping()
more = {}


class Paid(Event, routing_key="checked.{shop}.paid", registry=REGISTRY):
    shop: str
    order_id: UUID
    amount: Decimal
    count: int = 0
    at: AwareDatetime | None = None


@app.task(name="service.pack", shared=False)
def pack(order_id: UUID, count: int = 1) -> None: ...


@mapping.on(Paid, name="right")
def right(event: Paid):
    return call(pack, event.order_id, count=event.count)


def row(key, args, **kwargs):
    given = (args, kwargs)
    return dict(routing_key=key, task="service.pack", should_schedule=lambda *_: True, get_args=lambda *_: given)


def config(**settings):
    from kombu import Exchange, Queue

    arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dead"}
    app.conf.task_queues = app.conf.task_queues or [
        Queue("service.tasks", Exchange("service.tasks"), routing_key="service.tasks", queue_arguments=arguments)
    ]
    given = dict(
        broker_url="amqp://guest:s3cret@127.0.0.1//",
        exchange="events",
        queue_name="service",
        task_mapping=mapping,
        get_celery_app=lambda: app,
    )
    return PubSubConfig(**{**given, **more, **settings})
"""

#: By id: what is added to the service, and a part of what is then said.
CAUSES: dict[str, tuple[str, str]] = {
    "TP101": ("more['prefetch'] = 0", "PREFETCH: expected a whole number from 1 to 65535, got 0"),
    "TP102": (
        (
            "def config(): return PubSubConfig.from_object({'PUBSUB_BROKER_URL': 'amqp://127.0.0.1//', "
            "'PUBSUB_EXCHANGE': 'e', 'PUBSUB_PREFECH': 3})"
        ),
        "PUBSUB_PREFECH: is no setting of typed_pubsub: did you mean PUBSUB_PREFETCH?",
    ),
    "TP103": ("def config(): return 1 // 0", "settings: ZeroDivisionError at"),
    "TP104": ("more['task_mapping'] = 'nowhere.mapping'", "TASK_MAPPING: there is no module 'nowhere'"),
    "TP105": ("more['task_mapping'] = None", "TASK_MAPPING: a subscriber needs TASK_MAPPING"),
    "TP106": (
        "more['broker_url'] = 'amqp://guest:s3cret@broker.example.org//'",
        "BROKER_URL: it reaches broker.example.org in plain text",
    ),
    "TP107": (
        "more['default_version'] = 3",
        "checked.{shop}.paid: a message without a version counts as version 3, the newest known here is 1",
    ),
    "TP201": ("more['events'] = ['nowhere.events']", "nowhere.events: EVENTS: there is no module 'nowhere.events'"),
    "TP202": (
        "class Open(Event, routing_key='checked.open', registry=REGISTRY):\n    field: 'Nowhere'",
        "Open",
    ),
    "TP203": (
        "class Naive(Event, routing_key='checked.naive', registry=REGISTRY):\n    at: datetime",
        "$.at: it may have no offset from UTC",
    ),
    "TP204": (
        (
            "class Old(Event, routing_key='checked.old', registry=REGISTRY, deprecated='use Paid'): ...\n"
            "mapping.route(Old).to(pack, lambda e, send: send(UUID(int=1)))"
        ),
        "route checked.old->service.pack: ",
    ),
    "TP205": (
        "class New(Event, routing_key='checked.new', registry=REGISTRY, version=2): ...",
        "checked.new: version 1 has no upcast",
    ),
    "TP206": (
        (
            "from collections.abc import Callable\n"
            "class Odd(Event, routing_key='checked.odd', registry=REGISTRY):\n    call: Callable[[], int] | None = None"
        ),
        "Odd",
    ),
    "TP207": (
        (
            "from pydantic import FilePath\n"
            "class Local(Event, routing_key='checked.local', registry=REGISTRY):\n    file: FilePath"
        ),
        "$.file: a reader's machine decides whether it is accepted",
    ),
    "TP301": (
        "more['task_mapping'] = [{'routing_key': 'a.key'}]",
        "TASK_MAPPING: PUBSUB_TASK_MAPPING[0]: lacks 'task'",
    ),
    "TP302": (
        (
            "elsewhere = Celery('other', set_as_current=False)\n"
            "@elsewhere.task(name='elsewhere.task', shared=False)\n"
            "def foreign() -> None: ...\n"
            "mapping.route(Paid).to(foreign, lambda e, send: send())"
        ),
        "route checked.{shop}.paid->elsewhere.task: the Celery app has no task 'elsewhere.task'",
    ),
    "TP303": (
        "@mapping.on(Paid, name='wrong')\ndef wrong(event):\n    return call(pack, event.oder_id)",
        "route wrong: the handler raises AttributeError at ",
    ),
    "TP304": (
        (
            "@mapping.on(Paid, name='wrong')\ndef wrong(event):\n"
            "    return call(pack, event.order_id, count=100 // event.count)"
        ),
        '"count": 0',
    ),
    "TP305": (
        "mapping.route(Paid, when=lambda e: e.at.year > 2000).to(pack, lambda e, send: send(e.order_id), name='wrong')",
        "route wrong: the condition raises AttributeError at ",
    ),
    "TP306": (
        (
            "@remote_task('other.task')\ndef other(order_id: UUID) -> None: ...\n"
            "mapping.route(Paid).to(other, lambda e, send: send(e.order_id), name='far')"
        ),
        "route far: task 'other.task' is another service's",
    ),
    "TP307": (
        ("mapping.add_legacy([row('no.model', [1])])"),
        "route no.model->service.pack: no event is bound to 'no.model'",
    ),
    "TP308": (
        ("more['require_models'] = True\nmapping.add_legacy([row('no.model', [1])])"),
        "REQUIRE_MODELS makes each one a dead letter",
    ),
    "TP309": ("more['task_mapping'] = TaskMapping()", "TASK_MAPPING: no event causes a task"),
    "TP310": (
        (
            "class Choosy(Event, routing_key='checked.choosy', registry=REGISTRY):\n"
            "    word: str\n"
            "    @field_validator('word')\n"
            "    @classmethod\n"
            "    def known(cls, word):\n"
            "        assert word == 'xyzzy'\n"
            "        return word\n"
            "mapping.route(Choosy).to(pack, lambda e, send: send(UUID(int=1)))"
        ),
        "the model's own validators refuse all that was made of Choosy",
    ),
    "TP401": (
        ("mapping.add_legacy([row('checked.*.paid', [], oder_id=1)])"),
        "route checked.*.paid->service.pack: service.pack: ",
    ),
    "TP402": (
        "@mapping.on(Paid, name='wrong')\ndef wrong(event):\n    return call(pack, {event.order_id})",
        "route wrong: Object of type set is not JSON serializable",
    ),
    "TP403": (
        ("mapping.add_legacy([{**row('checked.*.paid', [1]), 'celery_kwargs': {'quene': 'scripts'}}])"),
        "nothing that sends a task knows the option 'quene'",
    ),
    "TP404": (
        (
            "@mapping.on(Paid, name='wrong')\ndef wrong(event):\n"
            "    return call(pack, event.order_id).using(serializer='nosuch')"
        ),
        "route wrong: ",
    ),
    "TP501": (
        (
            "from pathlib import Path\nfrom typed_pubsub.schema import canonical, schema_of\n"
            "class Before(Event, routing_key='checked.kept', registry=Registry()):\n    number: int\n"
            "class Now(Event, routing_key='checked.kept', registry=REGISTRY):\n    number: str\n"
            "SCHEMAS = {'checked.kept/1.json': canonical(schema_of(Before))}"
        ),
        "checked.kept version 1: $.number [type]",
    ),
    "TP502": (
        (
            "from typed_pubsub.schema import canonical, schema_of\n"
            "SCHEMAS = {'checked.gone/1.json': canonical(schema_of(type('Gone', (Event,), {}, "
            "routing_key='checked.gone', registry=Registry())))}"
        ),
        "checked.gone version 1: no event is bound to its routing key any more",
    ),
    "TP503": ("SCHEMAS = {'checked.kept/1.json': '[]'}", "checked.kept/1.json: expected the JSON Schema of an event"),
    "TP504": (
        'SCHEMAS = {\'ignore.toml\': \'[[ignore]]\\nevent = "checked.kept"\\nrule = "required"\\nreason = "r"\\n\'}',
        "checked.kept: the entry for rule 'required' in ignore.toml is not needed (r)",
    ),
    "TP601": ("more['get_celery_app'] = lambda: None", "GET_CELERY_APP: expected a Celery app, got NoneType"),
    "TP602": ("app.conf.task_acks_late = False", "Celery: a worker that dies loses the tasks that it runs"),
    "TP603": ("app.conf.task_reject_on_worker_lost = None", "Celery: a task is acknowledged also when the process"),
    "TP604": (
        "from kombu import Queue\napp.conf.task_queues = [Queue('service.tasks')]",
        "Celery: what a worker rejects",
    ),
    "TP605": (
        "@mapping.on(Paid, name='late')\ndef late(event):\n    return call(pack, event.order_id).using(countdown=7200)",
        "Celery: a worker holds task 'service.pack' for 7200 s",
    ),
    "TP606": ("more['queue_name'] = 'service.tasks'", "QUEUE_NAME: 'service.tasks' is one of the app's task_queues"),
    "TP701": ("", "no connection to amqp://guest:**@127.0.0.1"),
    "TP702": ("", "exchange events: there is none"),
    "TP703": ("", "queue 'service': x-max-length is 7"),
    "TP704": ("", "queue service: it is bound to exchange 'events' with 'old.#'"),
}

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
