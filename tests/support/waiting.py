"""Waiting for what other processes do, which no clock of ours can move."""

import asyncio
from collections.abc import Awaitable, Callable

POLL_S = 0.01


async def until(condition: Callable[[], Awaitable[bool]], *, timeout_s: float = 20.0) -> None:
    """Return as soon as ``condition`` holds; raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while True:
            if await condition():
                return
            await asyncio.sleep(POLL_S)
