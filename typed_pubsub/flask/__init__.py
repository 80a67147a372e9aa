"""Flask: the command ``flask subscriber``.

Installed with the extra ``flask``, the command is there for every app; ``app.cli.add_command(subscriber)`` in an app
factory does no harm and works without the package's entry point too.
"""

from typed_pubsub.cli.extras import require

require("flask", "flask")
