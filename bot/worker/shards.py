"""Which shards this worker serves: one worker a shard at a time, so that a follower's messages stay in order."""

import math
from collections.abc import Sequence

from redis.asyncio import Redis

from bot.storage.shards import SHARDS, tag
from bot.values.clock import Clock

LEASE_TTL_MS = 10_000
LEASE_RENEW_S = 3.0
WORKERS_KEY = "workers"

_RENEW = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class ShardLeases:
    """Leases of shards, shared out evenly among the living workers."""

    def __init__(self, redis: Redis, worker_id: str, clock: Clock) -> None:
        self._redis = redis
        self._worker_id = worker_id
        self._clock = clock
        self._held: set[int] = set()

    @property
    def held(self) -> Sequence[int]:
        """The shards that are ours until the next ``renew`` is due."""
        return sorted(self._held)

    async def renew(self) -> None:
        """Renew what is held, give back what is more than a fair share, take what is free. Call every few seconds."""
        share = await self._fair_share()
        for shard in self.held:
            kept = await self._redis.eval(_RENEW, 1, self._key(shard), self._worker_id, LEASE_TTL_MS)
            if not kept:
                self._held.discard(shard)
        for shard in self.held[share:]:
            await self._release(shard)
        for shard in range(SHARDS):
            if len(self._held) >= share:
                break
            if shard not in self._held and await self._redis.set(
                self._key(shard), self._worker_id, nx=True, px=LEASE_TTL_MS
            ):
                self._held.add(shard)

    async def release(self) -> None:
        """Give every shard back, so that another worker need not wait for the lease to lapse."""
        for shard in self.held:
            await self._release(shard)
        await self._redis.zrem(WORKERS_KEY, self._worker_id)

    async def _fair_share(self) -> int:
        now_ms = int(self._clock.now().timestamp() * 1000)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.zadd(WORKERS_KEY, {self._worker_id: now_ms})
            pipe.zremrangebyscore(WORKERS_KEY, "-inf", now_ms - LEASE_TTL_MS)
            pipe.zcard(WORKERS_KEY)
            answers = await pipe.execute()
        return math.ceil(SHARDS / max(1, int(answers[2])))

    async def _release(self, shard: int) -> None:
        await self._redis.eval(_RELEASE, 1, self._key(shard), self._worker_id)
        self._held.discard(shard)

    @staticmethod
    def _key(shard: int) -> str:
        return f"{tag(shard)}lease"
