"""System checks of the PUBSUB_ settings: what a publisher or subscriber would refuse, ``manage.py check`` says first.

They are the findings of ``typed-pubsub check`` (docs/checks.md) with Django's way to name them: ``typed_pubsub.TP101``.
Errors and warnings only, and nothing is run or asked for that ``manage.py`` would not: no handler, no Celery app.
"""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  # Django's own name of it

from typed_pubsub.config import PubSubConfig
from typed_pubsub.ops.checks.rules import Finding
from typed_pubsub.ops.checks.service import Wanted, check


def check_settings(**_: Any) -> list[CheckMessage]:
    """What is wrong with settings, events and routes, without connecting to anything."""
    found = check(lambda: PubSubConfig.from_object(settings), Wanted(run=False, app=False)).findings
    return [_message(one) for one in found if one.severity != "note"]


def _message(one: Finding) -> CheckMessage:
    kind = Error if one.severity == "error" else Warning
    return kind(f"{one.where}: {one.message}", hint=one.fix, id=f"typed_pubsub.{one.id}")
