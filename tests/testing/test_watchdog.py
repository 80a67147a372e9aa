"""A watchdog outlives what ends its maker, from its first moment on."""

import subprocess
import sys
from pathlib import Path

from tests.support.children import environment

# Each Ctrl-C reaches all of a terminal's processes; here one follows the other, so that some come at any moment.
_PRESSED = """
import os, signal, sys, threading
from pathlib import Path
from typed_pubsub.testing.nodes.watchdog import Watchdog

signal.signal(signal.SIGINT, lambda *_: None)
ended = threading.Event()

def press() -> None:
    while not ended.is_set():
        os.killpg(0, signal.SIGINT)

pressing = threading.Thread(target=press)
pressing.start()
for number in range(20):
    directory = Path(sys.argv[1], str(number))
    directory.mkdir()
    Watchdog(directory).close()
ended.set()
pressing.join()
"""


def test_a_watchdog_that_is_started_while_ctrl_c_is_pressed_tidies_up_all_the_same(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", _PRESSED, str(tmp_path)], check=True, env=environment(), start_new_session=True
    )
    assert list(tmp_path.iterdir()) == []
