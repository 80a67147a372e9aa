"""``python -m typed_pubsub.demo``: what ``typed-pubsub demo`` runs."""

import sys

try:
    import rich as _rich  # noqa: F401  # pyright: ignore[reportUnusedImport]  # the screen needs it
except ModuleNotFoundError:
    sys.exit("The demo shows itself with rich, which is not installed: pip install 'typed-pubsub[cli]'")

from typed_pubsub.demo.run import main

sys.exit(main())
