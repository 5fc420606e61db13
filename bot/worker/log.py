"""Moves the turn log from its streams to SQL, in batches, each entry once."""

from collections.abc import Sequence

from redis.asyncio import Redis

from bot.storage.encryption import FieldCipher
from bot.storage.shards import tag
from bot.turns.log import TurnLog, TurnRecord
from bot.turns.store import LOG
from bot.worker.review import ReviewCollector

BATCH = 200


class LogMover:
    """Reads the log streams of the shards it is given. The write is repeatable, so the entry is deleted after it."""

    def __init__(self, redis: Redis, turn_log: TurnLog, cipher: FieldCipher, reviews: ReviewCollector) -> None:
        self._redis = redis
        self._turn_log = turn_log
        self._reviews = reviews
        self._cipher = cipher

    async def move(self, shards: Sequence[int]) -> int:
        """Move one batch of every shard; return the number of entries."""
        streams = [f"{tag(shard)}log" for shard in shards]
        async with self._redis.pipeline(transaction=False) as pipe:
            for stream in streams:
                pipe.xrange(stream, count=BATCH)
            batches = await pipe.execute()
        found = {stream: batch for stream, batch in zip(streams, batches, strict=True) if batch}
        records = [
            TurnRecord.from_json(self._cipher.open_bytes(fields[b"entry"], LOG))
            for batch in found.values()
            for _, fields in batch
        ]
        await self._turn_log.write(records)
        await self._reviews.collect(records)
        async with self._redis.pipeline(transaction=False) as pipe:
            for stream, batch in found.items():
                pipe.xdel(stream, *(entry_id for entry_id, _ in batch))
            await pipe.execute()
        return len(records)
