"""Why an event is scheduled, skipped or dead-lettered, route by route. No I/O: nothing is connected, nothing sent.

The decision is that of ``decide``; what is told beside it comes of asking each route once more.
"""

from dataclasses import dataclass, replace
from typing import Any

from typed_pubsub.events import message as wire
from typed_pubsub.events import tagged
from typed_pubsub.events.delivery import Delivery, Metadata, read_metadata
from typed_pubsub.events.keyed import misfits
from typed_pubsub.events.problems import Misfit
from typed_pubsub.events.registry import meta_of
from typed_pubsub.ops.dry_run import MISFIT, DryRun, Vain
from typed_pubsub.routing.calls import TaskCall
from typed_pubsub.routing.decisions import DeadLetter, Decision, Schedule, Skip
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.routes import Received, Route
from typed_pubsub.routing.rows import RowRoute
from typed_pubsub.routing.table import Target

# Of an event that nobody has published.
_SOURCE, _EXCHANGE = "explain", "explain"


@dataclass(frozen=True, slots=True)
class CallTold:
    """One task: its name, arguments and options as they go to Celery, and where Celery's own routing sends it.

    ``queue`` is empty, and ``exchange`` and ``routing_key`` say where, if Celery declares none. ``problem``: why its
    message cannot be built. ``misfit``: why the task would not take the arguments.
    """

    task: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    options: dict[str, Any]
    queue: str = ""
    exchange: str = ""
    routing_key: str = ""
    problem: str = ""
    misfit: str = ""


@dataclass(frozen=True, slots=True)
class RouteTold:
    """One route whose key matches; ``asked`` is false where the body is nothing that a route could be asked about.

    ``holds`` is what ``when``, or a row's ``should_schedule``, said; None where there is no condition, or where it
    could not be asked. ``problem``: what the user's code raised.
    """

    name: str
    is_row: bool
    binding_keys: tuple[str, ...]
    asked: bool = True
    holds: bool | None = None
    calls: tuple[CallTold, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What becomes of an event.

    ``model`` is the class bound to the key, ``version`` the one that the message says (or the settings, for one that
    says none), ``upcasts`` whether upcasts start from that. ``outcome`` is "scheduled", "skipped" or
    "dead-lettered"; of what is scheduled in vain ``reason`` says why.
    """

    routing_key: str
    event_id: str
    version: int
    model: str | None
    model_version: int | None
    upcasts: bool
    misfits: tuple[Misfit, ...]
    routes: tuple[RouteTold, ...]
    outcome: str
    reason: str = ""
    detail: str = ""

    @property
    def fails(self) -> bool:
        """Whether it would be a dead letter, or be scheduled in vain."""
        return self.outcome == "dead-lettered" or self.reason == MISFIT


def delivery_of(dry_run: DryRun, key: str, body: bytes, event_id: str, version: int | None = None) -> Delivery:
    """An event of a key as its publisher would send it, with this body; default: of the newest version."""
    meta = dry_run.table.target(key).meta
    version = version if version is not None or meta is None else meta.version
    headers = {wire.SPEC_VERSION: "1.0", wire.ID: event_id, wire.SOURCE: _SOURCE, wire.TYPE: key}
    if version is not None:
        headers[wire.SCHEMA_VERSION] = str(version)
    return Delivery(key, body, event_id, _EXCHANGE, headers, {"content_type": wire.JSON})


def explain(dry_run: DryRun, delivery: Delivery) -> Explanation:
    """What the service's code makes of a delivery, and why. The user's code runs more than once for it."""
    said = read_metadata(delivery)
    table = dry_run.table
    target = table.target(said.routing_key)
    decision = dry_run.decide(delivery)
    model = dry_run.registry.find(said.routing_key)
    version = said.version if said.version is not None else table.policy.default_version
    outcome, reason, detail = _words(decision)
    return Explanation(
        routing_key=said.routing_key,
        event_id=said.event_id,
        version=version,
        model=None if model is None else f"{model.__module__}.{model.__qualname__}",
        model_version=None if model is None else meta_of(model).version,
        upcasts=version in target.chains,
        misfits=_misfits(delivery, said, target, version),
        routes=_routes(dry_run, delivery, said, target),
        outcome=outcome,
        reason=reason,
        detail=detail,
    )


def _words(decision: Decision | Vain) -> tuple[str, str, str]:
    match decision:
        case Schedule():
            return "scheduled", "", ""
        case Vain():
            return "scheduled", MISFIT, decision.detail
        case Skip():
            return "skipped", decision.reason, ""
        case DeadLetter():
            detail = f"{decision.detail}: {decision.private}" if decision.private else decision.detail
            return "dead-lettered", decision.reason, detail


def _misfits(delivery: Delivery, said: Metadata, target: Target, version: int) -> tuple[Misfit, ...]:
    """All that is wrong with the body, where the newest model reads it as it stands."""
    if target.meta is None or version in target.chains:
        return ()
    try:
        body = delivery.body if said.ours else tagged.plain(delivery.body)
        return tuple(misfits(target.meta, said.routing_key, body))
    except Exception:  # noqa: BLE001  # no JSON, or a validator that raises what it likes: the decision tells
        return ()


def _routes(dry_run: DryRun, delivery: Delivery, said: Metadata, target: Target) -> tuple[RouteTold, ...]:
    try:
        received = dry_run.table.read(delivery, said, target)
    except Exception:  # noqa: BLE001  # no event, an upcast, or a validator that raises what it likes: the decision tells
        received = None
    return tuple(_route(dry_run, route, said, received) for route in target.routes)


def _route(dry_run: DryRun, route: Route, said: Metadata, received: Received | None) -> RouteTold:
    told = RouteTold(route.name, not route.events, route.binding_keys, asked=received is not None)
    if received is None:
        return told
    holds: bool | None = None
    try:
        holds = _condition(route, received)
        calls = dry_run.table.calls_of(route, said, received)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # SystemExit of a handler is a dead letter too
        return replace(told, holds=holds, problem=_failure(error))
    headers = said.task_headers()
    return replace(told, holds=holds, calls=tuple(_call(dry_run, call, headers) for call in calls))


def _condition(route: Any, received: Received) -> bool | None:
    if isinstance(route, RowRoute):
        return bool(route.should_schedule(received.routing_key, received.body))
    when: Any = getattr(route, "when", None)
    return None if when is None else bool(when(received.event))


def _call(dry_run: DryRun, call: TaskCall, headers: dict[str, str]) -> CallTold:
    try:
        message = next(each for each in dry_run.rehearsal.build(call, headers) if each.mandatory)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  # Celery's signals and serializers run anyone's code
        return CallTold(call.task, call.args, call.kwargs, call.options, problem=_failure(error))
    queues = [str(entity.name) for entity in message.declare if hasattr(entity, "exchange")]
    queue = queues[0] if queues else "" if message.exchange else message.routing_key
    where = queue, message.exchange, message.routing_key
    misfit = dry_run.rehearsal.misfit(call) or ""
    return CallTold(call.task, call.args, call.kwargs, call.options, *where, misfit=misfit)


def _failure(error: BaseException) -> str:
    where, text = describe_failure(error)
    return f"{where}: {text}" if text else where
