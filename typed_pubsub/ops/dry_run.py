"""What the code at hand would make of a delivery: decided and built as a subscriber does, nothing sent."""

from dataclasses import dataclass

from typed_pubsub.config import PubSubConfig
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.registry import Registry, default_registry
from typed_pubsub.routing.decisions import DeadLetter, Decision, Schedule
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.table import RoutingTable
from typed_pubsub.tasks.rehearsal import Rehearsal

#: Why an event is scheduled in vain.
MISFIT = "the task does not take these arguments"


@dataclass(frozen=True, slots=True)
class Vain:
    """A subscriber would schedule the event, for a task that fails at once: it does not take its arguments.

    ``detail`` names the first such task, and what is wrong.
    """

    detail: str


@dataclass(frozen=True, slots=True)
class DryRun:
    """A service's mapping and its Celery app, as its subscriber has them."""

    registry: Registry
    table: RoutingTable
    rehearsal: Rehearsal

    def decide(self, delivery: Delivery) -> Decision | Vain:
        """What a subscriber would decide, after it has built the messages of the tasks; Vain of some it schedules."""
        decision = self.table.decide(delivery)
        if not isinstance(decision, Schedule):
            return decision
        try:
            for call in decision.calls:
                self.rehearsal.build(call, decision.headers)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # Celery's signals and serializers run anyone's code
            where, text = describe_failure(error)
            return DeadLetter("mapping_error", f"the task message cannot be built: {where}", text)
        misfits = (self.rehearsal.misfit(call) for call in decision.calls)
        return next((Vain(misfit) for misfit in misfits if misfit is not None), decision)


def prepare_dry_run(config: PubSubConfig, registry: Registry | None = None) -> DryRun:
    """Imports the service's events, compiles its mapping and loads its tasks, as a subscriber's start does.

    Raises:
        MisconfigurationException: a setting is missing or wrong.
        DefinitionError: an event, a route or a row is declared wrongly.
    """
    config.require_subscriber()
    config.load_events()
    registry = registry if registry is not None else default_registry
    registry.prepare()
    table = config.routing_table(registry)
    rehearsal = Rehearsal(config.celery_app())
    rehearsal.builder.require(table.routes)
    return DryRun(registry, table, rehearsal)
