"""A service that is right, and what makes it wrong: by the id of the finding."""

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
