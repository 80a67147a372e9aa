"""FastStream, and ``apply_async``. With some care: an event whose task cannot be sent is nacked."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from faststream import FastStream
from faststream.exceptions import NackMessage
from faststream.rabbit import Channel, RabbitBroker, RabbitQueue
from pydantic import BaseModel

from tests.faults.service import QUEUE, first, second

Handler: TypeAlias = Callable[[Any], Awaitable[None]]

broker = RabbitBroker(os.environ["FAULTS_EVENTS"], logger=None)
subscribe: Callable[[Handler], Handler] = broker.subscriber(
    RabbitQueue(QUEUE, declare=False), channel=Channel(prefetch_count=200)
)


class HappenedModel(BaseModel):
    """The event, as FastStream wants it."""

    number: int
    seconds: float = 0.0


@subscribe
async def handle(event: HappenedModel) -> None:
    """One event."""
    try:
        await asyncio.to_thread(first.apply_async, (event.number,))
        if event.number % 2 == 0:
            await asyncio.to_thread(second.apply_async, (event.number,))
    except Exception as error:
        raise NackMessage from error


if __name__ == "__main__":
    asyncio.run(FastStream(broker, logger=None).run())
