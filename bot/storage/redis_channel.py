"""Listening to a Redis channel, on a connection of its own that renews itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from bot.storage.redis_dial import Dialer
from bot.storage.redis_wire import Connection, RedisUnavailable

log = structlog.get_logger(__name__)

PING_EVERY_S = 15.0
MAX_UNREAD = 10_000


@asynccontextmanager
async def listen(dialer: Dialer, channel: str) -> AsyncIterator[AsyncIterator[bytes]]:
    """Give the messages of ``channel``; what is published while the connection is down is lost.

    Entering raises RedisUnavailable or RedisRefused. Of more than 10,000 unread messages the newest are dropped.
    """
    unread: asyncio.Queue[bytes] = asyncio.Queue(MAX_UNREAD)

    def on_message(message: bytes) -> None:
        with suppress(asyncio.QueueFull):
            unread.put_nowait(message)

    async def keep(connection: Connection) -> None:
        try:
            while True:
                log.warning("subscription lost", reason=await _until_lost(connection))
                connection = await dialer.redial(on_message)
                with suppress(RedisUnavailable):  # Then the connection has ended, and the next one is tried.
                    await connection.send("SUBSCRIBE", channel)
        finally:
            connection.end("closed")

    async def messages() -> AsyncIterator[bytes]:
        while True:
            yield await unread.get()

    first = await dialer.dial(on_message)
    try:
        await first.send("SUBSCRIBE", channel)
    except BaseException:
        first.end("not subscribed")
        raise
    keeper = asyncio.create_task(keep(first), name=f"channel {channel}")
    try:
        yield messages()
    finally:
        keeper.cancel()
        with suppress(asyncio.CancelledError):
            await keeper


async def _until_lost(connection: Connection) -> str:
    """Return why the connection ended; a ping now and then finds out that nobody is there any more."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(PING_EVERY_S):
                return await connection.lost()
        with suppress(RedisUnavailable):
            await connection.send("PING")
