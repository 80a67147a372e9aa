"""Findings of the settings: TP1xx."""

import warnings
from collections.abc import Callable, Iterator

from typed_pubsub.brokers.event_broker import unencrypted_hosts
from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import MisconfigurationException
from typed_pubsub.events.registry import Registry, meta_of
from typed_pubsub.ops.checks.failing import told
from typed_pubsub.ops.checks.rules import Finding, finding

_SUBSCRIBER = ("queue_name", "task_mapping", "get_celery_app")
_PAGE = "docs/configuration.md has every setting with what it takes"


def read_settings(
    read_config: Callable[[], PubSubConfig], passing: tuple[type[BaseException], ...] = ()
) -> tuple[PubSubConfig | None, list[Finding]]:
    """The settings, None where they are wrong, and what is to be said of them.

    Args:
        read_config: gives them, and may import the service.
        passing: errors of the caller's own, which come through.
    """
    config: PubSubConfig | None = None
    found: list[Finding] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            config = read_config()
        except passing:
            raise
        except MisconfigurationException as error:
            found += _wrong(error)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # the service's code runs as it is imported
            found.append(finding("TP103", "settings", told(error), "import it in a Python of its own to see more"))
    found += [_unknown(str(one.message)) for one in caught if "is no setting of typed_pubsub" in str(one.message)]
    return config, found


def is_subscriber(config: PubSubConfig) -> bool:
    """Whether all is there that subscribing needs."""
    return not _missing(config)


def check_settings(config: PubSubConfig) -> Iterator[Finding]:
    """What settings that are right by themselves do not say together, or should not say."""
    missing = _missing(config)
    if 0 < len(missing) < len(_SUBSCRIBER):
        names = ", ".join(name.upper() for name in missing)
        fix = "set all of QUEUE_NAME, TASK_MAPPING and GET_CELERY_APP, or, in a service that only publishes, none"
        yield finding("TP105", names, f"a subscriber needs {names}", fix)
    for host in unencrypted_hosts(config.broker_url):
        yield finding("TP106", "BROKER_URL", f"it reaches {host} in plain text, the password too", "use amqps://")
    try:
        config.dead_letter_hook()
    except MisconfigurationException as error:
        yield nowhere(error)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # as above
        yield finding("TP104", "ON_DEAD_LETTER", told(error), "mend the module that it names")


def check_default_version(config: PubSubConfig, registry: Registry) -> Iterator[Finding]:
    """Messages without a version are of a version that nobody knows."""
    if config.newer_version != "dead-letter":
        return
    for template in dict.fromkeys(meta_of(event).key.text for event in registry):
        newest = max(registry.versions(template))
        if newest < config.default_version:
            yield finding(
                "TP107",
                template,
                f"a message without a version counts as version {config.default_version}, the newest known here is "
                f"{newest}: it would be the dead letter newer_version",
                "set DEFAULT_VERSION to the version that publishers without one write",
            )


def nowhere(error: MisconfigurationException) -> Finding:
    """The finding of a dotted path that leads nowhere."""
    setting, _, problem = str(error).partition(": ")
    return finding("TP104", setting, problem or str(error), "write it as package.module:name")


def _missing(config: PubSubConfig) -> list[str]:
    return [name for name in _SUBSCRIBER if getattr(config, name) in (None, "")]


def _wrong(error: MisconfigurationException) -> Iterator[Finding]:
    if not error.settings:
        yield nowhere(error)
    for setting, problem in error.settings.items():
        yield finding("TP101", setting, problem, _PAGE)


def _unknown(text: str) -> Finding:
    name, _, _ = text.partition(" ")
    return finding("TP102", name, text.removeprefix(f"{name} "), "write it as it is meant, or take it away")
