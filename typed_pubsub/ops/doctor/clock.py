"""The broker's clock against this one: AMQP tells none, the management API does, in the Date of any answer."""

import contextlib
import http.client
import ssl
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from typed_pubsub.ops.doctor.lines import Line, advice, ok, problem, unknown

# Seconds. A Date has whole ones.
_NOTICED, _HARMFUL = 2.0, 30.0


def look_at_clock(management: str, timeout: float) -> Line:
    """How far the clocks are apart; ``management`` is the URL of the management API, such as http://host:15672."""
    try:
        skew = _skew(management, timeout)
    except (OSError, ValueError, http.client.HTTPException) as error:
        told = f"AMQP tells none, and there is no answer from the management API at {_shown(management)}: {error}"
        return unknown("clock", told)
    told = f"the broker's is {abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) > _HARMFUL:
        return problem("clock", told, "synchronise both machines (NTP): eta and expires of tasks go by it")
    return advice("clock", told) if abs(skew) > _NOTICED else ok("clock", "the same within 2 s")


def _skew(management: str, timeout: float) -> float:
    parts = urlsplit(management)
    host, port = parts.hostname or "localhost", parts.port
    made: http.client.HTTPConnection = (
        http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())
        if parts.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=timeout)
    )
    with contextlib.closing(made) as connection:
        begun = time.time()
        connection.request("HEAD", parts.path or "/")
        said = connection.getresponse().getheader("Date")
        ended = time.time()
    if said is None:
        raise ValueError("its answer has no Date")
    # The second that it names has just begun or is about to end.
    return parsedate_to_datetime(said).timestamp() + 0.5 - (begun + ended) / 2


def _shown(url: str) -> str:
    """Without what may be a password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}:{parts.port}"
