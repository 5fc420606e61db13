"""The worker ends when it is told to, whatever the libraries below do with that."""

import asyncio

from redis.asyncio import Redis

from bot.values.clock import SystemClock
from bot.worker.service import Job, Listener, Worker
from bot.worker.shards import ShardLeases

PATIENCE_S = 10.0


async def test_a_swallowed_cancellation_ends_the_worker_all_the_same(redis: Redis) -> None:
    begun = asyncio.Event()

    async def swallow() -> None:
        begun.set()
        try:
            await asyncio.sleep(PATIENCE_S)
        except asyncio.CancelledError:
            # What clients of Redis do when they are interrupted while they close a connection.
            return

    async def work() -> int:
        await swallow()
        return 1

    jobs, listeners = (Job("swallowing job", work, rest_s=0.0),), (Listener("swallowing listener", swallow),)
    worker = asyncio.create_task(Worker(ShardLeases(redis, "w", SystemClock()), jobs, listeners).run())
    await begun.wait()
    worker.cancel()
    done, _ = await asyncio.wait([worker], timeout=PATIENCE_S)
    assert done, "it goes on"
    assert worker.cancelled()
