"""The Django app."""

# Django has no types of its own.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false, reportUnknownArgumentType=false

from django.apps import AppConfig
from django.core.checks import register

from typed_pubsub.django.checks import check_settings


class TypedPubSubConfig(AppConfig):  # type: ignore[misc]  # django has no types
    """Settings are read from ``django.conf.settings`` when they are needed."""

    name = "typed_pubsub.django"
    label = "typed_pubsub"
    verbose_name = "Typed Pub/Sub"

    def ready(self) -> None:
        """Registers the system checks."""
        register(check_settings, "typed_pubsub")
