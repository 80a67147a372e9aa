"""What the code at hand would make of a delivery: decided and built as a subscriber does, nothing sent."""

from dataclasses import dataclass

from typed_pubsub.config import PubSubConfig
from typed_pubsub.events.delivery import Delivery
from typed_pubsub.events.registry import Registry, default_registry
from typed_pubsub.routing.decisions import DeadLetter, Decision, Schedule
from typed_pubsub.routing.failures import describe_failure
from typed_pubsub.routing.table import RoutingTable
from typed_pubsub.tasks.builder import TaskBuilder


@dataclass(frozen=True, slots=True)
class Trial:
    """A service's mapping and its Celery app, as its subscriber has them."""

    registry: Registry
    table: RoutingTable
    builder: TaskBuilder

    def decide(self, delivery: Delivery) -> Decision:
        """What a subscriber would decide, after it has built the messages of the tasks."""
        decision = self.table.decide(delivery)
        if not isinstance(decision, Schedule):
            return decision
        try:
            for call in decision.calls:
                self.builder.build(call, decision.headers)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001  # Celery's signals and serializers run anyone's code
            where, text = describe_failure(error)
            return DeadLetter("mapping_error", f"the task message cannot be built: {where}", text)
        return decision


def prepare_trial(config: PubSubConfig, registry: Registry | None = None) -> Trial:
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
    builder = TaskBuilder(config.celery_app())
    builder.require(table.routes)
    return Trial(registry, table, builder)
