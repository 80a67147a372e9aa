"""Findings of the event broker: TP7xx."""

from collections.abc import Iterator

from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import ConnectFailed, DefinitionError, MisconfigurationException, TopologyRefused
from typed_pubsub.events.registry import Registry
from typed_pubsub.ops.checks.rules import Finding, finding
from typed_pubsub.ops.topology.declared import at_version, declared_by
from typed_pubsub.ops.topology.look import look
from typed_pubsub.ops.topology.plan import Bind, CreateExchange, CreateQueue, Plan, plan

_START = "a publisher makes the exchange, a subscriber all of it, when it starts; so does 'typed-pubsub topology apply'"
_SHOW = "'typed-pubsub topology show' has all of it"


def check_broker(config: PubSubConfig, registry: Registry, timeout: float) -> Iterator[Finding]:
    """What is not at the broker as the service declares it."""
    try:
        declared = declared_by(config, registry)
    except (DefinitionError, MisconfigurationException):
        # A finding of its own: nobody knows what the service would declare.
        return
    try:
        found = look(config.broker_url, declared, timeout=timeout)
    except (ConnectFailed, MisconfigurationException, TopologyRefused) as error:
        yield finding("TP701", "BROKER_URL", str(error), "'typed-pubsub doctor' looks closer")
        return
    yield from _told(plan(at_version(declared, found.server_version, config), found))


def _told(made: Plan) -> Iterator[Finding]:
    fresh = {step.queue.name for step in made.steps if isinstance(step, CreateQueue)}
    for step in made.steps:
        match step:
            case CreateExchange(exchange):
                yield finding("TP702", f"exchange {exchange.name}", "there is none", _START)
            case CreateQueue(queue):
                yield finding("TP702", f"queue {queue.name}", "there is none", _START)
            case Bind(binding) if binding.queue not in fresh:
                yield finding("TP702", f"queue {binding.queue}", f"it is not bound with {binding.key!r}", _START)
            case _:
                pass
    for difference in made.differences:
        aspects = "; ".join(map(str, difference.aspects))
        yield finding("TP703", difference.what, f"{aspects}; {difference.remedy}", _SHOW)
    for binding in made.stale:
        told = f"it is bound to exchange {binding.exchange!r} with {binding.key!r}, and no route wants that"
        yield finding("TP704", f"queue {binding.queue}", told, "'typed-pubsub topology apply --prune' unbinds it")
