"""``typed-pubsub explain``: what the code at hand makes of an event, and why."""

import sys
from typing import TYPE_CHECKING, Any

import click

from typed_pubsub.cli.bodies import body_lines
from typed_pubsub.cli.keys import routing_key
from typed_pubsub.cli.printing import echo_json, echo_wrapped, format_option
from typed_pubsub.cli.service import service_option, this_service

if TYPE_CHECKING:
    from typed_pubsub.config import PubSubConfig
    from typed_pubsub.events.delivery import Delivery
    from typed_pubsub.ops.explain import CallTold, Explanation, RouteTold


@click.command()
@click.argument("key", type=routing_key, required=False)
@click.argument("body", metavar="[JSON|-|@FILE]", required=False)
@click.option(
    "--dlq",
    "which",
    metavar="N|EVENT_ID",
    show_envvar=True,
    help="A dead letter instead of KEY and JSON: its number in 'dlq list', or its event id.",
)
@click.option(
    "--event-version",
    type=click.IntRange(min=1),
    show_envvar=True,
    help="The version that the event says it has.  [default: the newest model's]",
)
@click.option("--anyway", is_flag=True, show_envvar=True, help="As of 'dlq list'.")
@service_option
@format_option
def explain(
    *,
    key: str | None,
    body: str | None,
    which: str | None,
    event_version: int | None,
    anyway: bool,
    form: str,
) -> None:
    """Tell which tasks an event causes, or why it causes none: model, body, routes, conditions, calls.

    Runs the service's own code; nothing is sent, and without --dlq nothing is connected. The body is JSON, - for
    standard input, or @FILE. Exit code 1 where the event would be a dead letter, or a task would not take
    its arguments.

    \b
    typed-pubsub explain -A my_app.pubsub:config shop.orders.placed '{"order_id": 7}'
    typed-pubsub explain -A my_app.pubsub:config shop.orders.placed @order.json --event-version 1
    typed-pubsub explain -A my_app.pubsub:config --dlq 3
    """  # noqa: D301  # click's own mark: what follows is not wrapped
    if (key is None) == (which is None) or (which is not None and event_version is not None):
        raise click.UsageError("Say KEY and JSON, or --dlq.")
    from uuid import uuid4

    from typed_pubsub.ops.dry_run import prepare_dry_run
    from typed_pubsub.ops.explain import delivery_of
    from typed_pubsub.ops.explain import explain as explained

    config = this_service().read_config()
    raw = None if key is None else _body(body)
    delivery = _dead_letter(config, str(which), anyway=anyway) if raw is None else None
    dry_run = prepare_dry_run(config)
    if delivery is None:
        delivery = delivery_of(dry_run, str(key), raw or b"", str(uuid4()), event_version)
    told = explained(dry_run, delivery)
    echo_json(_as_json(told)) if form == "json" else _show(told)
    sys.exit(1 if told.fails else 0)


def _body(body: str | None) -> bytes:
    if body is None:
        raise click.UsageError("Missing argument 'JSON': the body, - for standard input, or @FILE.")
    return b"".join(body_lines(body))


def _dead_letter(config: "PubSubConfig", which: str, *, anyway: bool) -> "Delivery":
    from typed_pubsub.brokers.letters import as_replayed
    from typed_pubsub.ops.letters import find_letter, queue_of

    found = find_letter(config, which, anyway=anyway)
    if found is None:
        raise click.BadParameter(f"no dead letter {which!r} of queue {queue_of(config)!r}", param_hint="'--dlq'")
    return as_replayed(found[1], queue_of(config))


def _show(told: "Explanation") -> None:
    _say("key", told.routing_key)
    _say("event", f"{told.event_id or '(has no id)'}, version {told.version}")
    _say("model", _model(told))
    for misfit in told.misfits:
        got = f", got {misfit.got}" if misfit.got else ""
        kind = f" ({misfit.kind})" if misfit.kind else ""
        _say("body", f"{misfit.path}: {misfit.expected}{got}{kind}")
    for route in told.routes:
        _say("route", f"{route.name}{_binding(told, route)}: {_condition(route)}")
        for call in route.calls:
            _show_call(call)
    if not told.routes:
        _say("route", "none wants this key")
    _say("decision", _decision(told))


def _say(what: str, text: str) -> None:
    echo_wrapped(f"{what:10}", text, indent=10)


def _model(told: "Explanation") -> str:
    if told.model is None:
        return "none is bound to this key"
    older = f", upcast from {told.version}" if told.upcasts and told.version != told.model_version else ""
    return f"{told.model}, version {told.model_version}{older}"


def _binding(told: "Explanation", route: "RouteTold") -> str:
    keys = [key for key in route.binding_keys if key != told.routing_key]
    return f" ({', '.join(keys)})" if keys else ""


def _condition(route: "RouteTold") -> str:
    name = "should_schedule" if route.is_row else "when"
    said = "" if route.holds is None else f"{name} said {'yes' if route.holds else 'no'}"
    if route.problem:
        return f"{said}; raised {route.problem}" if said else f"raised {route.problem}"
    if not route.asked:
        return "not asked"
    count = len(route.calls)
    calls = f"{count} task{'' if count == 1 else 's'}"
    return f"{said}, {calls}" if said and route.holds else said or calls


def _show_call(call: "CallTold") -> None:
    arguments = [*map(repr, call.args), *(f"{name}={value!r}" for name, value in call.kwargs.items())]
    _say("", f"{call.task}({', '.join(arguments)})")
    if call.options:
        _say("", f"  {', '.join(f'{name}={value!r}' for name, value in call.options.items())}")
    where = f"queue {call.queue!r}" if call.queue else f"exchange {call.exchange!r}, key {call.routing_key!r}"
    _say("", f"  {f'cannot be built: {call.problem}' if call.problem else f'to {where}'}")
    if call.misfit:
        _say("", f"  the task does not take these arguments: {call.misfit}")


def _decision(told: "Explanation") -> str:
    outcome, why = told.outcome, told.reason + (f": {told.detail}" if told.detail else "")
    if outcome == "scheduled":
        count = sum(len(route.calls) for route in told.routes)
        outcome = f"scheduled, {count} task{'' if count == 1 else 's'}"
        why = f"but {why}" if why else ""
    return f"{outcome}, {why}" if why else outcome


def _as_json(told: "Explanation") -> Any:
    import pydantic_core

    # Arguments and options of tasks may be anything.
    return pydantic_core.to_jsonable_python(told, fallback=repr, bytes_mode="base64", inf_nan_mode="strings")
