"""The story: start everything, publish, poison, kill, wait, count. Everything that it starts ends with it."""

import json
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from typed_pubsub.demo import app1
from typed_pubsub.demo.broker import AUDIT, DEAD_LETTERS, Broker
from typed_pubsub.demo.ledger import Ledger
from typed_pubsub.demo.processes import Process
from typed_pubsub.demo.screen import Screen
from typed_pubsub.demo.stopping import in_one_piece
from typed_pubsub.demo.tally import Tally
from typed_pubsub.testing.nodes.watchdog import Watchdog

#: The subscriber gets stuck when it has settled so many deliveries.
STOP_AT = 200
#: What programs without the library may send: a body that is cut off, and one of the wrong type.
POISON = {
    "poison-1": ("app1.matches.published", b'{"match_id": "0c7ea1e8-5f0e-4a57-9a1c-'),
    "poison-2": ("app1.scores.changed", b'{"match_id": 7, "home": "three", "away": 1}'),
}
_PATIENCE = 60.0


class DemoFailed(Exception):
    """Something did not come to pass; the text says what, and has the end of a log."""


class Story:
    """One run of the demo."""

    def __init__(self, screen: Screen, directory: Path, watchdog: Watchdog, stack: ExitStack) -> None:
        self._screen = screen
        self._stack = stack
        self._directory = directory
        self._watchdog = watchdog
        self._ledger = Ledger(directory)
        self._broker = Broker(directory / "broker.db")
        stack.callback(self._broker.close)

    def run(self) -> Tally:
        say = self._screen.say
        say("broker", f"no server: one file, {self._broker.file}")
        with self._screen.waiting("starting the services"):
            worker = self._start("celery", "-A", "typed_pubsub.demo.query_tasks", "worker", *_QUIETLY)
            subscriber = self._start_subscriber(stop_at=STOP_AT)
        say("query", f"a subscriber (process {subscriber.pid}) and a Celery worker ({worker.pid})")
        confirmed, subscriber = self._publish(subscriber)
        with self._screen.waiting("waiting until every event is settled and every task has run"):
            self._settle(confirmed + len(POISON), subscriber, worker)
        codes = subscriber.stop(_PATIENCE), worker.stop(_PATIENCE)
        say("query", f"SIGTERM: the subscriber ended with exit code {codes[0]}, the worker with {codes[1]}")
        tally = self._count()
        again = f"{tally.repeated} came a second time, under the ids they had, and added none to those executed"
        say("Celery", f"{len(tally.runs)} runs of {len(tally.executed)} tasks: {again}")
        return tally

    def _publish(self, subscriber: Process) -> tuple[int, Process]:
        """The publishing process does its part; in the middle come the poison and the kill."""
        say, confirmed, poison, killed = self._screen.say, 0, dict(POISON), False
        publisher = self._start("typed_pubsub.demo.app1")
        with self._screen.progress("app1", "publishes", app1.EVENTS) as step:
            for line in publisher.lines():
                said = json.loads(line)
                confirmed = said.get("confirmed", confirmed)
                step(said.get("published", confirmed))
                if poison and said.get("published", 0) >= app1.EVENTS // 10:
                    for message_id, (routing_key, body) in poison.items():
                        self._broker.publish_raw(routing_key, body, message_id)
                    say("poison", f"{len(poison)} broken messages published with plain kombu", "red")
                    poison = {}
                if not killed and self._ledger.read("stuck"):
                    killed, subscriber = True, self._kill(subscriber)
        if publisher.wait(_PATIENCE) != 0:
            raise DemoFailed(f"app1 failed: {publisher.log()}")
        if not killed:
            self._until(lambda: bool(self._ledger.read("stuck")), "the subscriber got stuck", subscriber)
            subscriber = self._kill(subscriber)
        return confirmed, subscriber

    def _kill(self, subscriber: Process) -> Process:
        unacknowledged = self._broker.unacknowledged()
        subscriber.kill()
        say = self._screen.say
        moment = f"{unacknowledged} deliveries unacknowledged, the tasks of some sent already: the worst moment"
        say("kill -9", f"the subscriber ({subscriber.pid}) with {moment}", "red")
        subscriber = self._start_subscriber()
        say("query", f"a new subscriber ({subscriber.pid}); the broker delivers them again")
        return subscriber

    def _settle(self, published: int, subscriber: Process, worker: Process) -> None:
        def settled() -> bool:
            return len({said["event_id"] for said in self._ledger.read("outcomes")}) >= published

        def executed() -> bool:
            announced = {task_id for said in self._ledger.read("outcomes") for task_id in said["task_ids"]}
            return announced <= {run["task_id"] for run in self._ledger.read("runs")}

        self._until(settled, "every event was settled", subscriber)
        self._until(executed, "every task was executed", worker)
        self._until(lambda: self._broker.waiting() == 0, "the queues were empty", worker)

    def _count(self) -> Tally:
        outcomes, runs = self._ledger.read("outcomes"), self._ledger.read("runs")
        return Tally.count(self._broker.take_all(AUDIT), self._broker.take_all(DEAD_LETTERS), outcomes, runs)

    def _start_subscriber(self, stop_at: int = -1) -> Process:
        before = len(self._ledger.read("ready"))
        subscriber = self._start("typed_pubsub.demo.query_subscriber", DEMO_STOP_AT=str(stop_at))
        self._until(lambda: len(self._ledger.read("ready")) > before, "the subscriber consumes", subscriber)
        return subscriber

    def _start(self, module: str, *arguments: str, **environment: str) -> Process:
        environment |= {
            "DEMO_BROKER_URL": self._broker.url,
            "DEMO_LEDGER": str(self._directory),
            # Celery's pool leaves a directory there when it is killed.
            "TMPDIR": str(self._directory),
        }
        log = self._directory / f"{module}.log"
        return self._stack.enter_context(Process(["-m", module, *arguments], log, environment, self._watchdog))

    @staticmethod
    def _until(happened: Callable[[], bool], what: str, process: Process) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not happened():
            if not process.running or time.monotonic() > deadline:
                raise DemoFailed(f"waited in vain until {what}; the end of the log:\n{process.log()}")
            time.sleep(0.05)


_QUIETLY = (
    "--loglevel", "WARNING", "--concurrency", "2",
    "--without-gossip", "--without-mingle", "--without-heartbeat",
)  # fmt: skip


def tell(screen: Screen) -> Tally:
    """Runs the story on a broker of its own, in a directory that goes with it.

    Raises:
        DemoFailed: something did not come to pass.
    """
    with ExitStack() as stack:
        with in_one_piece():
            directory = Path(tempfile.mkdtemp(prefix="typed-pubsub-"))
            watchdog = Watchdog(directory)
            stack.callback(watchdog.close)
        return Story(screen, directory, watchdog, stack).run()
