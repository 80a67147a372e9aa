"""What the processes write down of what they did: one JSON object a line, each written at once and whole.

A process that is killed leaves every line that it has written, and nobody waits for anybody.
"""

import json
import os
from pathlib import Path
from typing import Any


class Ledger:
    """Files of lines, in the directory that the demo names in the environment."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    @classmethod
    def of_this_demo(cls) -> "Ledger":
        return cls(Path(os.environ["DEMO_LEDGER"]))

    def write(self, name: str, **entry: Any) -> None:
        line = json.dumps(entry).encode() + b"\n"
        file = os.open(self._directory / name, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def read(self, name: str) -> list[dict[str, Any]]:
        path = self._directory / name
        if not path.exists():
            return []
        whole, _, _ = path.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]
