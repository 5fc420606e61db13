"""The end of a console: no handler outlives its server."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog
from aiohttp import web

log = structlog.get_logger(__name__)

WAIT_S: Final = 10.0
"""How long a handler may still take when everything else has ended."""

_Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HandlersAtWork:
    """Waits for the handlers that are at work when the console stops.

    aiohttp forgets a handler together with its connection: one whose browser has gone away would go on beside the
    end of everything, ask a database that is closed already, and leave the connection that this opens to nobody.
    """

    def __init__(self, *, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._tasks: set[asyncio.Task[None]] = set()

    @web.middleware
    async def noted(self, request: web.Request, handler: _Next) -> web.StreamResponse:
        """Note the handler while it is at work."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await handler(request)
        finally:
            self._tasks.discard(task)

    async def end(self, _app: web.Application) -> None:
        """Return when no handler is at work any more; those that take too long are cancelled."""
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=self._wait_s)
        for task in late:
            task.cancel()
        if late:
            log.warning("handlers cancelled", count=len(late))
            await asyncio.wait(late)
