"""Shards: every key of a follower carries one of 64 hash tags, so that scripts stay valid on Redis Cluster."""

from zlib import crc32

SHARDS = 64
"""How many shards there are. It must never change while there are records: keys are found by it."""


def shard_of(openid: str) -> int:
    """Return the shard of a follower, 0 to 63: the same on every machine and in every version."""
    return crc32(openid.encode()) % SHARDS


def tag(shard: int) -> str:
    """Return the hash tag that the shard's keys begin with, for instance ``{s07}``."""
    if shard not in range(SHARDS):
        raise ValueError(f"no such shard: {shard}")
    return f"{{s{shard:02d}}}"
