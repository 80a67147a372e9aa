"""``PubSubConfig``: the settings of a service, from keyword arguments or from any settings object."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast

from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.events.registry import Registry
from typed_pubsub.events.shapes import is_list
from typed_pubsub.routing.mapping import TaskMapping
from typed_pubsub.routing.table import Policy, RoutingTable
from typed_pubsub.settings import checks, sources


@dataclass(frozen=True)
class PubSubConfig:
    """Settings of a publisher, a subscriber, or both. Frozen; checked when made.

    The first five may be given by position. ``broker_url`` and ``exchange`` are needed to publish; ``queue_name``,
    ``task_mapping`` and ``get_celery_app`` to subscribe as well. Callables and mappings may be dotted paths
    (``"my_app.pubsub.mapping"`` or ``"my_app.pubsub:mapping"``), imported when they are first needed.

    Attributes:
        task_mapping: a TaskMapping, the classic list of rows, or a dotted path to either.
        get_celery_app: called once, at the subscriber's start, without arguments; gives the Celery app.
        broker_url: of the event broker, ``amqp://`` or ``amqps://``; several, tried in turn, are separated by ``;``.
            Without a server: ``sqlite:///relative.db`` or ``sqlite:////absolute/path.db``, the embedded broker.
        exchange: name of the topic exchange.
        queue_name: the subscriber's queue.
        events: modules that define the service's events, imported at the start.
        source: ``ce-source`` of what is published; default: the queue's name, else the exchange's.
        publish_timeout: seconds for connecting, sending and the broker's confirm together.
        unroutable: what to do about an event that no queue takes.
        require_models: a key without a model is an error when publishing and a dead letter when subscribing.
        unmatched: what becomes of a delivery that no route or row wants.
        newer_version: what becomes of an event of a higher version than is known here.
        default_version: the version of messages that carry none.
        max_body_bytes: larger bodies are refused when publishing and kept as dead letters when subscribing.
        prefetch: deliveries that the broker may have under way to one subscriber process.
        queue_type: of a queue that does not exist yet; an existing one is used as it is found.
        connect_timeout: seconds for the first connection at start.
        drain_timeout: seconds for settling what is in hand after SIGTERM.
        max_faults: stop after so many faults in a row without one settled delivery; None: never.
        health_file: rewritten each second by the subscriber's loop.
        on_dead_letter: called with a ``DeadLettered`` after each dead letter.

    Raises:
        MisconfigurationException: naming every setting that is missing or wrong.
    """

    task_mapping: TaskMapping | Sequence[Mapping[str, Any]] | str | None = None
    get_celery_app: Callable[[], Any] | str | None = None
    broker_url: str = field(default="", repr=False)
    exchange: str = ""
    queue_name: str | None = None
    events: Sequence[str] = ()
    source: str = ""
    publish_timeout: float = 10.0
    unroutable: Literal["warn", "raise", "ignore"] = "warn"
    require_models: bool = False
    unmatched: Literal["dead-letter", "skip"] = "dead-letter"
    newer_version: Literal["dead-letter", "try"] = "dead-letter"
    default_version: int = 1
    max_body_bytes: int = 1_048_576
    prefetch: int = 200
    queue_type: Literal["classic", "quorum"] = "classic"
    connect_timeout: float = 30.0
    drain_timeout: float = 10.0
    max_faults: int | None = None
    health_file: str | None = None
    on_dead_letter: Callable[[Any], None] | str | None = None

    def __post_init__(self) -> None:
        """Checks every setting."""
        problems = {name.upper(): problem for name, problem in self._problems()}
        if problems:
            told = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
            raise MisconfigurationException(f"PubSubConfig: {told}", problems)
        if not self.source:
            object.__setattr__(self, "source", self.queue_name or self.exchange)

    @classmethod
    def from_object(cls, obj: Any, prefix: str = "PUBSUB_") -> "PubSubConfig":
        """Reads the settings that begin with ``prefix`` from a mapping, a module, a class or an instance.

        A name with the prefix that is no setting is a warning with the nearest one that is.

        Raises:
            MisconfigurationException: naming every setting that is missing or wrong.
        """
        return cls(**sources.read(obj, prefix, [setting.name for setting in fields(cls)]))

    def routing_table(self, registry: Registry) -> RoutingTable:
        """The mapping, compiled for the queue.

        Raises:
            MisconfigurationException: a setting that subscribing needs is missing, or a dotted path leads nowhere.
            DefinitionError: a route or a row is declared wrongly.
        """
        self.require_subscriber()
        mapping = sources.resolve("TASK_MAPPING", self.task_mapping)
        if not isinstance(mapping, TaskMapping):
            if not is_list(mapping):
                msg = f"TASK_MAPPING: expected a TaskMapping or a list of rows, got {type(mapping).__name__}"
                raise MisconfigurationException(msg)
            mapping = TaskMapping().add_legacy(mapping)
        policy = Policy(
            queue=self.queue_name or "",
            unmatched=self.unmatched,
            require_models=self.require_models,
            newer_version=self.newer_version,
            default_version=self.default_version,
            max_body_bytes=self.max_body_bytes,
        )
        return RoutingTable(mapping, registry, policy)

    def celery_app(self) -> Any:
        """The Celery app, from ``get_celery_app``.

        Raises:
            MisconfigurationException: a setting that subscribing needs is missing, or this one is no callable.
        """
        self.require_subscriber()
        factory = sources.resolve("GET_CELERY_APP", self.get_celery_app)
        if not callable(factory):
            msg = f"GET_CELERY_APP: expected a callable that gives the Celery app, got {type(factory).__name__}"
            raise MisconfigurationException(msg)
        return factory()

    def dead_letter_hook(self) -> Callable[[Any], None] | None:
        """The ``on_dead_letter`` callable, or None."""
        hook: Any = sources.resolve("ON_DEAD_LETTER", self.on_dead_letter)
        if hook is not None and not callable(hook):
            msg = f"ON_DEAD_LETTER: expected a callable, got {type(hook).__name__}"
            raise MisconfigurationException(msg)
        return cast("Callable[[Any], None] | None", hook)

    def load_events(self) -> None:
        """Imports the modules of ``events`` and of the entry points ``typed_pubsub.events``.

        Raises:
            MisconfigurationException: a module cannot be found.
        """
        sources.import_events(self.events)

    def require_subscriber(self) -> None:
        """Raises MisconfigurationException, naming each, for settings that subscribing needs and that are missing."""
        needed = ("queue_name", "task_mapping", "get_celery_app")
        missing = [name.upper() for name in needed if getattr(self, name) in (None, "")]
        if missing:
            msg = f"PubSubConfig: a subscriber needs {', '.join(missing)}"
            raise MisconfigurationException(msg)

    def _problems(self) -> Sequence[tuple[str, str]]:
        rules: dict[str, checks.Check] = {
            "task_mapping": checks.optional(checks.mapping),
            "broker_url": checks.broker_url,
            "exchange": checks.amqp_name(required=True),
            "queue_name": checks.optional(checks.amqp_name(required=False)),
            "events": checks.names,
            "source": checks.amqp_name(required=False),
            "publish_timeout": checks.positive,
            "unroutable": checks.one_of("warn", "raise", "ignore"),
            "require_models": checks.boolean,
            "unmatched": checks.one_of("dead-letter", "skip"),
            "newer_version": checks.one_of("dead-letter", "try"),
            "default_version": checks.whole(1, 2**31),
            "max_body_bytes": checks.whole(1, 2**31),
            "prefetch": checks.whole(1, 65_535),
            "queue_type": checks.one_of("classic", "quorum"),
            "connect_timeout": checks.positive,
            "drain_timeout": checks.positive,
            "max_faults": checks.optional(checks.whole(1, 2**31)),
            "health_file": checks.optional(checks.text),
            "get_celery_app": checks.optional(checks.callable_or_path),
            "on_dead_letter": checks.optional(checks.callable_or_path),
        }
        found = ((name, check(getattr(self, name))) for name, check in rules.items())
        return [(name, problem) for name, problem in found if problem is not None]
