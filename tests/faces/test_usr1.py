"""SIGUSR1: a look at a subscriber at work, which goes on."""

import signal
from pathlib import Path

from tests.faces.conftest import Service
from tests.support.rabbit import eventually, get
from typed_pubsub import Publisher, PubSubConfig


def test_the_stacks_and_what_is_in_hand_are_told_and_the_work_goes_on(service: Service, broker_url: str) -> None:
    hold = service.directory / "hold"
    hold.touch()
    with service.start(broker_url, task_mapping="held.ROWS") as child:
        child.wait_for("consuming")
        with Publisher(PubSubConfig(broker_url=broker_url, exchange="events", unroutable="raise")) as publisher:
            publisher.publish_event("a.key", {"number": 1})
        eventually(hold.with_name("held").exists, what="the event in the handler's hands")
        child.signal(signal.SIGUSR1)
        line = child.wait_for("1 deliveries in hand, the oldest for ")[-1]
        assert "the event broker: open, Celery's broker: open" in line
        pulse = child.wait_for("Thread 'typed_pubsub-pulse', of typed_pubsub: wait (threading.py:")[-1]
        told = child.stderr[child.stderr.index("Stack (most recent call first):") + 1 :]
        handler = next(number for number, frame in enumerate(told) if "held.py" in frame)
        assert "in should_schedule" in told[handler]
        # It looks for a file: the signal may have come within.
        assert all("pathlib" in frame for frame in told[:handler]), "the handler's stack comes first"
        assert "in _run_module_as_main" in told[told.index(line) - 1], "and it is whole"
        mine = told.index("Thread 'mine' (most recent call first):")
        assert told.index(line) < mine < told.index(pulse), "threads of the library's own come last"
        assert any("held.py" in frame and "in work_of_mine" in frame for frame in told[mine:])
        assert " < _run (pulse.py:" in pulse
        hold.unlink()
        assert b"[1]" in get(broker_url, "celery").body
        assert child.terminate() == 0, child.output
    assert "Traceback" not in child.output


def test_it_is_no_end_before_the_settings_are_read_either(service: Service, tmp_path: Path) -> None:
    slow = "import os, time\nfrom pathlib import Path\nprint('importing', flush=True)\n"
    slow += "while not Path('go').exists():\n    time.sleep(0.01)\n"
    (service.directory / "service.py").write_text(slow)
    with service.start("amqp://nowhere//") as child:
        child.wait_for("importing")
        child.signal(signal.SIGUSR1)
        child.wait_for("not consuming yet")
        assert child.alive
        assert any("service.py" in line for line in child.lines)
        (service.directory / "go").touch()
        assert child.wait() == 2, child.output
