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
    max_examples=_TRIES,
    database=None,
    deadline=None,
    derandomize=True,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow, HealthCheck.data_too_large],
)


def find_refused(
    writer: Schema, template: KeyTemplate, accepts: Callable[[Sent], bool], *, beside: Any = None
) -> Sent | None:
    """The smallest event found that ``accepts`` says no to; None if a thousand tries found none.

    The same arguments give the same answer.

    Args:
        writer: the closed form of the writer's schema.
        template: its routing key.
        accepts: whether a reader takes it.
        beside: the reader's schema: near its bounds there is most to find.
    """
    try:
        return find(sent_by(writer, template, beside=beside), lambda sent: not accepts(sent), settings=_SETTINGS)
    except HypothesisException:
        # None there, none to be made, or a reader that does not say the same twice.
        return None
