"""A message made from a template is the one that Celery's own road gives for the same call."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from celery import Celery
from hypothesis import event, given, settings
from hypothesis import strategies as st
from kombu import Exchange, Queue
from kombu.common import Broadcast

from tests.tasks.building import (
    CALL,
    OURS,
    SOON,
    app_of,
    assert_alike,
    from_template,
    one,
    outcome,
    ready,
    templated,
    through_celery,
)
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.tasks.builder import TaskBuilder


def some(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


def also(usual: st.SearchStrategy[dict[str, Any]], **odd: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Now and then one that is odd beside the usual ones."""
    single = st.one_of([some(**{name: values}) for name, values in odd.items()])
    return st.builds(lambda one, more: {**one, **more}, usual, st.just({}) | single)


# What messages made from templates may have.

NAMES = st.sampled_from(["tasks.any", "tasks.two", "elsewhere.task"])
SMALL = st.integers(0, 9)
CONF = some(
    task_default_queue=st.just("mine"),
    task_default_exchange_type=st.sampled_from(["topic", "direct"]),
    task_default_delivery_mode=st.sampled_from([1, 2]),
    task_default_priority=SMALL,
    task_routes=st.sampled_from([
        {"tasks.*": {"queue": "routed", "priority": 2}}, {"elsewhere.task": "routed"}, ([("tasks.any", "x")],),
        {"tasks.any": {"exchange": "e", "routing_key": "k"}}, ({"other": "a"}, {"tasks.two": "b"}),
    ]),
    task_queues=st.just([
        Queue("mine", Exchange("mine", "topic"), routing_key="m"), Queue("celery"), Queue("q"), Queue("routed"),
        Broadcast("x"),
    ]),
    task_ignore_result=st.booleans(),
    task_repr_maxlevels=st.sampled_from([1, 2, 3, 5]),
    timezone=st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]),
    enable_utc=st.booleans(),
    task_time_limit=st.just(50),
)  # fmt: skip
DECLARED = some(
    serializer=st.just("json"),
    time_limit=st.sampled_from([7, 7.5]),
    soft_time_limit=st.sampled_from([4, 6]),
    ignore_result=st.booleans(),
    queue=st.sampled_from(["q", "other"]),
    routing_key=st.just("declared"),
    priority=SMALL,
    expires=st.sampled_from([300, 1.5, SOON]),
    delivery_mode=st.just(1),
    typing=st.just(False),
)
#: The same for all calls of an example: their shape.
FIXED = some(
    queue=st.sampled_from(["q", "other", None]),
    routing_key=st.just("a.key"),
    exchange=st.sampled_from(["topics", ""]),
    priority=st.one_of(SMALL, st.none()),
    serializer=st.sampled_from(["json", None]),
    time_limit=st.sampled_from([5, 5.0, None]),
    soft_time_limit=st.sampled_from([3, None]),
    shadow=st.sampled_from(["shown", None]),
    argsrepr=st.sampled_from(["(...)", "", None]),
    kwargsrepr=st.sampled_from(["{...}", None]),
    reply_to=st.sampled_from(["somewhere", ""]),
    ignore_result=st.booleans(),
    group_id=st.just("a-group"),
    root_id=st.sampled_from(["a-root", ""]),
    parent_id=st.just("a-parent"),
    delivery_mode=st.sampled_from([1, 2, "transient"]),
)
HEADERS = st.sampled_from([{}, {"mine": "x"}, {"id": "x", "ce-id": "y"}, {"argsrepr": "x", "lang": "y"}])
SECONDS = st.integers(0, 10**6) | st.floats(0, 10**6) | st.none()
MOMENTS = st.sampled_from(
    [None, SOON, SOON.replace(tzinfo=None), SOON.astimezone(timezone(timedelta(hours=5)))],
)
#: Of each call anew.
FILLED = some(countdown=SECONDS, eta=MOMENTS, expires=SECONDS | MOMENTS)
VALUE = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.just("x" * 2_000), st.uuids(),
        st.datetimes(timezones=st.sampled_from([None, UTC])), st.dates(), st.times(), st.decimals(),
        st.binary(max_size=5),
    ),
    lambda of: st.lists(of, max_size=4) | st.dictionaries(st.text(max_size=5), of, max_size=4),
    max_leaves=8,
)  # fmt: skip

# What takes Celery's road, and often Celery refuses it.

ODD_CONF = also(
    CONF,
    task_serializer=st.sampled_from(["pickle", "yaml", "custom"]),
    task_routes=st.just((lambda name, *_, **__: {"queue": name},)),
    task_queues=st.just(
        [Queue("celery", Exchange("slow", "topic"), routing_key="s", queue_arguments={"x-queue-type": "quorum"})]
    ),
    task_create_missing_queues=st.just(False),
    task_compression=st.just("gzip"),
    task_send_sent_event=st.just(True),
)
ODD_DECLARED = also(
    DECLARED,
    serializer=st.just("pickle"),
    compression=st.just("zlib"),
    typing=st.just(True),
    time_limit=st.just(1),
    expires=st.just(-1),
)
ODD_FIXED = also(
    FIXED,
    serializer=st.sampled_from(["pickle", "no-such"]),
    compression=st.just("gzip"),
    group_index=st.just(3),
    retries=st.just(1),
    stamped_headers=st.just([]),
    queue=st.just(Queue("an object")),
    reply_to=st.just(Queue("an object")),
    priority=st.just(True),
    no_such_option=st.just(1),
)
ODD_FILLED = also(
    FILLED,
    headers=HEADERS | st.sampled_from([{"timelimit": [1, 2]}, {"eta": "x"}, None]),
    countdown=st.sampled_from([-5, -(2**40), float("nan"), True, "soon", Decimal(3)]),
    eta=st.sampled_from([SOON.isoformat(), "", SOON.date(), 7]),
    expires=st.sampled_from([-5, -(2**40), float("nan"), True, SOON.isoformat(), datetime(2020, 1, 1, tzinfo=UTC)]),
)
ODD_VALUE = VALUE | st.sampled_from([object, {1}, [{"a": {2}}], Fraction(1, 2), {1: 2}, {(1,): 2}])


@dataclass(frozen=True)
class Drawn:
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    filled: dict[str, Any]


def calls(value: st.SearchStrategy[Any], filled: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Drawn]]:
    kwargs = st.dictionaries(st.sampled_from(["second", "other"]), value, max_size=2)
    return st.lists(st.builds(Drawn, st.lists(value, max_size=3).map(tuple), kwargs, filled), min_size=2, max_size=4)


def assert_built_as_celery_builds_it(app: Celery, builder: TaskBuilder, call: TaskCall) -> None:
    theirs = outcome(through_celery, TaskBuilder(app), call, OURS)
    assert_alike(outcome(builder.build, call, OURS), theirs)


@pytest.mark.once
@given(NAMES, st.booleans(), CONF, DECLARED, FIXED, HEADERS, calls(VALUE, FILLED))
@settings(max_examples=300)
def test_calls_of_one_shape_are_built_from_a_template(  # noqa: PLR0917
    name: str, local: bool, conf: Any, declared: Any, fixed: Any, headers: Any, drawn: list[Drawn]
) -> None:
    app = app_of(declared={"typing": False, "ignore_result": True, **declared}, **conf)
    builder = TaskBuilder(app)
    for number, each in enumerate(drawn):
        options = {**fixed, **each.filled, "headers": headers, "task_id": f"task-{number}"}
        call = TaskCall(name, each.args, each.kwargs, options, local)
        assert (from_template(builder, call, OURS) is not None) == (number > 0)
        assert_built_as_celery_builds_it(app, builder, call)


@pytest.mark.once
@given(NAMES, st.booleans(), ODD_CONF, ODD_DECLARED, ODD_FIXED, calls(ODD_VALUE, ODD_FILLED))
@settings(max_examples=300)
def test_any_call_is_built_as_celery_builds_it(  # noqa: PLR0917
    name: str, local: bool, conf: Any, declared: Any, fixed: Any, drawn: list[Drawn]
) -> None:
    app = app_of(declared=declared, **conf)
    builder = TaskBuilder(app)
    for number, each in enumerate(drawn):
        call = TaskCall(name, each.args, each.kwargs, {**fixed, **each.filled, "task_id": f"task-{number}"}, local)
        templated = from_template(builder, call, OURS) is not None
        event(f"call {min(number, 1)}, from a template: {templated}")
        assert_built_as_celery_builds_it(app, builder, call)


def test_an_eta_for_a_quorum_queue_takes_celerys_own_road() -> None:
    queue = Queue("slow", Exchange("slow", "topic"), routing_key="slow", queue_arguments={"x-queue-type": "quorum"})
    builder = TaskBuilder(app_of(task_queues=[queue]))
    for countdown in (None, 100, 100, None, 0, 1_000):
        call = TaskCall("elsewhere.task", options={"queue": "slow", "countdown": countdown})
        message = one(builder, call)
        assert message.exchange == ("celery_delayed_27" if countdown else "slow")
        assert message.routing_key.endswith(".slow" if countdown else "slow")
        assert templated(builder, call) == (not countdown)


HOUR = timedelta(hours=1)
LATER = (SOON + 24 * HOUR).replace(tzinfo=None)
EXPIRES = [3, 1.5, 0, -5, True, float("nan"), None, SOON, LATER, SOON - 2 * HOUR, SOON.isoformat()]
COUNTDOWNS = [3, 1.5, 0, -5, -(2**40), 2**60, True, float("nan"), None, "soon", Decimal(3)]
ETAS = [SOON, LATER, SOON - 2 * HOUR, SOON.isoformat(), "", SOON.date(), 7, None]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
@pytest.mark.parametrize(
    "moments",
    [
        *({"expires": value} for value in EXPIRES),
        *({"countdown": value} for value in COUNTDOWNS),
        *({"eta": value} for value in ETAS),
        {"countdown": 3, "eta": SOON},
        {"countdown": 3, "expires": 9},
    ],
)
def test_a_moment_is_written_as_celery_writes_it(
    moments: dict[str, Any], zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        app = app_of(declared={"expires": 77}, timezone=zone)
        builder = ready(app)
        assert_built_as_celery_builds_it(app, builder, CALL)
        assert_built_as_celery_builds_it(
            app, builder, msgspec.structs.replace(CALL, options={**moments, "task_id": "an-id"})
        )
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("seconds", [3, 1.5, 0.001, 10**6])
def test_an_expiry_in_seconds_is_a_time_to_live(seconds: float) -> None:
    app = app_of()
    call = TaskCall("elsewhere.task", options={"expires": seconds})
    (theirs,) = through_celery(TaskBuilder(app), call, OURS)
    assert one(ready(app, call), call).properties["expiration"] == theirs.properties["expiration"]
