"""Events that a writer may send and a reader refuses: the proof that goes with a verdict. Needs Hypothesis."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import HypothesisException

from typed_pubsub.events.keys import KeyTemplate
from typed_pubsub.schema.bodies import Sent, sent_by
from typed_pubsub.schema.unions import Schema

_TRIES = 1_000
_SETTINGS = settings(
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def find_refused(
    writer: Schema, template: KeyTemplate, accepts: Callable[[Sent], bool], *, beside: Any = None, tries: int = _TRIES
) -> Sent | None:
    """The smallest event found that ``accepts`` says no to; None if none of ``tries`` is.

    The same arguments give the same answer.

    Args:
        writer: the closed form of the writer's schema.
        template: its routing key.
        accepts: whether a reader takes it.
        beside: the reader's schema: near its bounds there is most to find.
        tries: how many events are made.
    """
    made = sent_by(writer, template, beside=beside)
    try:
        return find(made, lambda sent: not accepts(sent), settings=settings(_SETTINGS, max_examples=tries))
    except HypothesisException:
        # None there, none to be made, or a reader that does not say the same twice.
        return None
