"""FastStream, which is aio-pika below: always confirmed when it publishes."""

import asyncio
import itertools
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from faststream import FastStream
from faststream.rabbit import Channel, ExchangeType, RabbitBroker, RabbitExchange, RabbitQueue

from benchmarks import service
from benchmarks.broker import EVENTS
from benchmarks.events import EXCHANGE, KEY, WARM, PlainMatch, make_plain
from benchmarks.program import Job, Tally, ready, run, tell, wait

Handler: TypeAlias = Callable[[Any], Awaitable[None]]

_GATHERED = 256
_EXCHANGE: Any = RabbitExchange(EXCHANGE, type=ExchangeType.TOPIC, durable=True, declare=False)


async def _publish(broker: Any, event: PlainMatch) -> None:
    await broker.publish(event, exchange=_EXCHANGE, routing_key=KEY, persist=True)


async def _one_by_one(broker: Any, events: Any) -> None:
    for event in events:
        await _publish(broker, event)


async def _gathered(broker: Any, events: Any) -> None:
    while batch := list(itertools.islice(events, _GATHERED)):
        await asyncio.gather(*(_publish(broker, event) for event in batch))


async def _run(job: Job, work: Callable[[Any, Any], Awaitable[None]]) -> None:
    async with RabbitBroker(job.url, logger=None) as broker:
        await work(broker, make_plain(job.warm, job.size, WARM))
        ready()
        cpu = time.process_time()
        await work(broker, make_plain(job.count, job.size))
        tell({"cpu": time.process_time() - cpu})
        wait()


def publish(job: Job) -> None:
    """One after the other."""
    asyncio.run(_run(job, _one_by_one))


def gather(job: Job) -> None:
    """Many at a time."""
    asyncio.run(_run(job, _gathered))


def _subscribe(job: Job, handler: Handler) -> None:
    broker: Any = RabbitBroker(job.url, logger=None)
    broker.subscriber(RabbitQueue(EVENTS, declare=False), channel=Channel(prefetch_count=200))(handler)
    asyncio.run(FastStream(broker, logger=None).run())


def hand_off(job: Job) -> None:
    """``apply_async`` in the handler itself: a thread for each would keep the loop free and take longer."""

    async def handle(event: PlainMatch) -> None:
        if event.competition == "league":
            service.execute.apply_async((event.match_id,), {"title": event.title})

    _subscribe(job, handle)


def consume(job: Job) -> None:
    """No task."""
    tally = Tally(job)

    async def handle(event: PlainMatch) -> None:
        tally.add(event.match_id)

    _subscribe(job, handle)


if __name__ == "__main__":
    run({"publish": publish, "gather": gather, "hand_off": hand_off, "consume": consume})
