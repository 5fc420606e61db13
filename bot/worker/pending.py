"""Takes up messages whose gateway died, or could not get to them in time."""

from collections.abc import Sequence
from typing import Any

import structlog
from redis.asyncio import Redis

from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisRefused, RedisUnavailable
from bot.storage.shards import tag
from bot.turns.reading import load
from bot.turns.service import TurnGivenUp, TurnService, closed_attempt
from bot.turns.store import PAYLOAD
from bot.values.clock import Clock

log = structlog.get_logger(__name__)

AGE_S = 20.0
"""The platform delivers three times in fifteen seconds; a message is left to it for that long."""
BATCH = 50


class PendingSweeper:
    """Finishes messages that were written down but never committed; their answers go through the outbox."""

    def __init__(
        self, redis: Redis, turns: TurnService, cipher: FieldCipher, clock: Clock, *, age_s: float = AGE_S
    ) -> None:
        self._redis = redis
        self._turns = turns
        self._cipher = cipher
        self._clock = clock
        self._age_s = age_s

    async def sweep(self, shards: Sequence[int]) -> int:
        """Work on one batch of every shard, oldest first; return how many messages were finished.

        One that fails is left for another ``age_s``, so that it holds up no other. Raises RedisUnavailable.
        """
        now_ms = int(self._clock.now().timestamp() * 1000)
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in shards:
                before_ms = now_ms - int(self._age_s * 1000)
                pipe.zrangebyscore(f"{tag(shard)}pending", "-inf", before_ms, start=0, num=BATCH)
            found = await pipe.execute()
        finished = 0
        for shard, keys in zip(shards, found, strict=True):
            for key in keys:
                if await self._finish(shard, key):
                    finished += 1
                else:
                    await self._redis.zadd(f"{tag(shard)}pending", {key: now_ms}, xx=True)
        return finished

    async def _finish(self, shard: int, key: bytes) -> bool:
        sealed: Any = await self._redis.hget(f"{tag(shard)}payloads", key)
        if sealed is None:
            await self._redis.zrem(f"{tag(shard)}pending", key)
            return False
        try:
            message = load(self._cipher.open_bytes(sealed, PAYLOAD))
            log.info("taking up an unfinished message", kind=type(message).__name__)
            await self._turns.handle(message, closed_attempt())
        except (RedisUnavailable, RedisRefused):
            raise
        except TurnGivenUp:
            return False
        except Exception as error:  # noqa: BLE001 - One message must not hold up the others; it is tried again.
            log.error("an unfinished message failed again", error=type(error).__name__)
            return False
        return True
