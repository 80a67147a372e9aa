"""Defaults of RabbitMQ that bite, by its version. Told by its release notes; 4.x was not tried here."""

import re
from collections.abc import Iterator

from typed_pubsub.ops.doctor.lines import Line, advice, ok, problem, unknown

_MIB = 1024 * 1024
# From these versions on.
_NO_MIRRORS = (4, 0)
_STRICT = (4, 3)
_TIMEOUT = (3, 8)


def parsed(version: str) -> tuple[int, int] | None:
    """Major and minor; None: it is none that can be read."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return None if found is None else (int(found[1]), int(found[2]))


def look_at_version(version: str, max_body_bytes: int | None) -> Iterator[Line]:
    """What a RabbitMQ of this version does unless it was told otherwise.

    Args:
        version: as the broker says it.
        max_body_bytes: the largest body that is to go through, None: that is not known.
    """
    known = parsed(version)
    if known is None:
        yield unknown("defaults", f"{version!r} is no version that can be read")
        return
    if known >= _STRICT:
        yield advice("consumer_timeout", "30 minutes, on quorum queues: the broker then cancels the consumer")
    elif known >= _TIMEOUT:
        yield advice("consumer_timeout", "30 minutes: it closes a channel that leaves a delivery unacknowledged longer")
    yield _largest(known, max_body_bytes)
    if known >= _NO_MIRRORS:
        yield advice("delivery limit", "20 on quorum queues that say nothing else; what exceeds it is dropped or dead")
        yield advice("mirroring", "classic queues are on one node: ha- policies do nothing any more, use quorum queues")
    else:
        yield advice("version", f"{version} is of a series without community support; 4.0 has no mirrored queues")
    if known >= _STRICT:
        told = "queues neither durable nor exclusive are refused, and so is global QoS: Celery's workers may use both"
        yield advice("deprecated", told)
    elif known >= _NO_MIRRORS:
        yield advice("deprecated", "queues neither durable nor exclusive, and global QoS: 4.3 refuses them by default")


def _largest(known: tuple[int, int], wanted: int | None) -> Line:
    limit = 16 * _MIB if known >= _NO_MIRRORS else 128 * _MIB
    told = f"{limit // _MIB} MiB unless it was set"
    if wanted is not None and wanted > limit:
        fix = "set max_message_size of the broker, or a lower MAX_BODY_BYTES"
        return problem("max_message_size", f"{told}, MAX_BODY_BYTES is {wanted:,}", fix)
    return ok("max_message_size", told)
