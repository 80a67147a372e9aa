"""Django: ``"typed_pubsub.django"`` in INSTALLED_APPS brings ``manage.py subscriber`` and checks of its settings."""

from typed_pubsub.cli.extras import require

require("django", "django")
