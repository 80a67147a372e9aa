"""Who does the work: ours, and others beside it."""

from dataclasses import dataclass
from importlib.util import find_spec

from benchmarks import compiled
from benchmarks.broker import EVENTS, TASKS
from benchmarks.child import python
from benchmarks.compiled import NotCompiled
from benchmarks.events import EXCHANGE, KEY, make_events
from benchmarks.peers.raw import BODY
from benchmarks.program import Job

PUBLISH, HAND_OFF, CONSUME, REQUEST = "publish", "hand-off", "consume only", "one publish"
C_CLIENT = "C client"


@dataclass(frozen=True, slots=True)
class Contender:
    """A program that does one kind of work.

    ``share``: so many times fewer events than the fastest does it get, for a round of about the same length;
    ``unconfirmed``: it is done when the queue has all, not when it says so.
    """

    work: str
    name: str
    module: str
    program: str
    share: float = 1
    kind: str = "Event"
    confirm: bool = False
    unconfirmed: bool = False

    @property
    def ours(self) -> bool:
        """Whether it is this library."""
        return self.module == "ours"

    def job(self, url: str, count: int, size: int, warm: int) -> Job:
        """What the program is told."""
        return Job(url, count, size=size, warm=warm, kind=self.kind, confirm=self.confirm)

    def command(self, job: Job) -> list[str]:
        """The command line of its program."""
        if self.module == "c":
            return _c_command(self.program, job)
        return python(f"peers.{self.module}", self.program, job.text())


def _c_command(program: str, job: Job) -> list[str]:
    address, _, vhost = job.url.removeprefix("amqp://guest:guest@").partition("/")
    common = [str(compiled.c_client()), program, *address.split(":"), vhost or "/"]
    if program in (PUBLISH, "alike"):
        body = next(make_events(1, job.size)).model_dump_json()
        return [*common, EXCHANGE, KEY, str(job.count), str(job.warm), body]
    return [*common, EVENTS, TASKS, BODY[0].decode(), BODY[1].decode()]


PUBLISHERS = (
    Contender(PUBLISH, "publish_many, Event", "ours", "publish_many"),
    Contender(PUBLISH, "publish_many, StructEvent", "ours", "publish_many", kind="StructEvent"),
    Contender(PUBLISH, "publish, Event", "ours", "publish", share=10),
    Contender(PUBLISH, "publish, StructEvent", "ours", "publish", share=10, kind="StructEvent"),
    Contender(PUBLISH, "kombu, unconfirmed", "with_kombu", "publish", unconfirmed=True),
    Contender(PUBLISH, "kombu, unconfirmed, our headers", "with_kombu", "publish_alike", unconfirmed=True),
    Contender(PUBLISH, "kombu, confirm_publish", "with_kombu", "publish", share=10, confirm=True),
    Contender(PUBLISH, "pika, unconfirmed", "with_pika", "publish", share=2, unconfirmed=True),
    Contender(PUBLISH, "pika, confirmed", "with_pika", "publish", share=10, confirm=True),
    Contender(PUBLISH, "FastStream, one by one", "with_faststream", "publish", share=16),
    Contender(PUBLISH, "FastStream, gathered by 256", "with_faststream", "gather", share=4),
    Contender(PUBLISH, C_CLIENT, "c", "publish"),
    Contender(PUBLISH, f"{C_CLIENT}, our headers", "c", "alike"),
)
SUBSCRIBERS = (
    Contender(HAND_OFF, "Subscriber, Event", "ours", "hand_off"),
    Contender(HAND_OFF, "Subscriber, StructEvent", "ours", "hand_off", kind="StructEvent"),
    Contender(HAND_OFF, "hand-written, unconfirmed", "with_kombu", "hand_off", share=3),
    Contender(HAND_OFF, "hand-written, confirm_publish", "with_kombu", "hand_off", share=8, confirm=True),
    Contender(HAND_OFF, "FastStream + apply_async", "with_faststream", "hand_off", share=4),
    Contender(HAND_OFF, "nameko + apply_async", "with_nameko", "hand_off", share=5),
    Contender(HAND_OFF, "py-amqp, nothing decoded", "raw", "hand_off"),
    Contender(HAND_OFF, C_CLIENT, "c", "hand_off", share=0.8),
)
CONSUMERS = (
    Contender(CONSUME, "kombu", "with_kombu", "consume", share=2),
    Contender(CONSUME, "FastStream", "with_faststream", "consume", share=4),
)
REQUESTS = (
    Contender(REQUEST, "publish, Event", "ours", "request"),
    Contender(REQUEST, "publish, StructEvent", "ours", "request", kind="StructEvent"),
    Contender(REQUEST, "kombu, confirm_publish", "with_kombu", "request", confirm=True),
    Contender(REQUEST, "pika, confirmed", "with_pika", "request", confirm=True),
)
#: Who needs a package that may not be there.
_NEEDS = {"with_pika": "pika", "with_faststream": "faststream", "with_nameko": "nameko"}


def why_not(one: Contender) -> str | None:
    """Why a contender cannot take part here, or None."""
    if one.module == "c":
        try:
            compiled.c_client()
        except NotCompiled as error:
            return str(error)
    needed = _NEEDS.get(one.module)
    if needed is not None and not _installed(needed):
        return f"{needed} is not installed"
    return None


def _installed(module: str) -> bool:
    return find_spec(module) is not None
