"""System checks of the PUBSUB_ settings: what a publisher or subscriber would refuse, ``manage.py check`` says first.

- typed_pubsub.E001: a setting is missing or wrong
- typed_pubsub.E002: an event, a route or a row is declared wrongly
- typed_pubsub.W001: a PUBSUB_ name is no setting
"""

import warnings
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # Django's own name of it

from typed_pubsub.config import PubSubConfig
from typed_pubsub.errors import DefinitionError, MisconfigurationException
from typed_pubsub.events.registry import default_registry


def check_settings(**_: Any) -> list[CheckMessage]:
    """What is wrong with the settings, without connecting to anything."""
    found: list[CheckMessage] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            config = PubSubConfig.from_object(settings)
        except MisconfigurationException as error:
            config, problem = None, Error(str(error), id="typed_pubsub.E001")
            found.append(problem)
    found += [Warning(str(warning.message), id="typed_pubsub.W001") for warning in caught]
    if config is not None:
        found += _check_mapping(config)
    return found


def _check_mapping(config: PubSubConfig) -> list[CheckMessage]:
    try:
        config.load_events()
        if config.task_mapping is not None:
            config.routing_table(default_registry)
    except MisconfigurationException as error:
        return [Error(str(error), id="typed_pubsub.E001")]
    except DefinitionError as error:
        return [Error(str(error), id="typed_pubsub.E002")]
    return []
