"""Server-sent events: pages learn that a chat changed, and fetch what they show anew. No text travels this way."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiohttp import web

from bot.inbox.feed import ChangeFeed, Position, chats_for
from bot.inbox.filters import Scope

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 1.0
BEAT_EVERY_S: Final = 15.0
STREAM_LASTS_S: Final = 60.0
"""After this a stream ends and the browser comes again, past the gate: an ended session sees no more."""
RETRY_MS: Final = 1000

Beat = Callable[[], Awaitable[None]]


@dataclass(eq=False, slots=True)
class _Page:
    """One open page: what its viewer may see, and which chats changed since it was told last."""

    scope: Scope
    chats: set[int] = field(default_factory=set)
    news: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class _Look:
    """The task that looks, and what tells it that nobody is left."""

    task: asyncio.Task[None]
    over: asyncio.Event


class LiveChats:
    """One look a second for the whole process, told to every open page that may see the chat."""

    def __init__(self, feed: ChangeFeed, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._feed = feed
        self._look_every_s = look_every_s
        self._pages: set[_Page] = set()
        self._look: _Look | None = None
        self._starting = asyncio.Lock()
        self._is_closed = False

    async def stream(self, request: web.Request, scope: Scope, beat: Beat) -> web.StreamResponse:
        """Answer with events until the page is closed or the stream is old; ``scope`` is what the viewer may see.

        Everything that is stored after the answer has begun is told. ``beat`` is awaited again and again meanwhile.
        Raises HTTPServiceUnavailable when the console is about to stop.
        """
        if self._is_closed:
            raise web.HTTPServiceUnavailable
        page = _Page(scope)
        self._pages.add(page)
        try:
            await self._look_on()
            await beat()
            response = web.StreamResponse(
                headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
            )
            await response.prepare(request)
            try:
                await response.write(f"retry: {RETRY_MS}\n\n".encode())
                await self._tell(response, page, beat)
            except ConnectionResetError:
                pass  # The page is gone; there is nobody to tell.
            return response
        finally:
            self._pages.discard(page)
            if not self._pages:
                await self._look_no_more()

    def close(self) -> None:
        """Let every stream end now; the browsers come again when somebody serves them."""
        self._is_closed = True
        for page in self._pages:
            page.news.set()

    async def _tell(self, response: web.StreamResponse, page: _Page, beat: Beat) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + STREAM_LASTS_S
        while loop.time() < ends and not self._is_closed:
            try:
                async with asyncio.timeout(BEAT_EVERY_S):
                    await page.news.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")
                await beat()
                continue
            page.news.clear()
            ids, page.chats = sorted(page.chats), set()
            if not ids:
                continue
            await response.write(f"event: chats\ndata: {json.dumps(ids)}\n\n".encode())

    async def _look_on(self) -> None:
        """Begin to look, unless somebody's page has begun it; it ends with the last page."""
        async with self._starting:
            if self._look is None:
                position, over = await self._feed.now(), asyncio.Event()
                self._look = _Look(asyncio.create_task(self._looking(position, over), name="chat feed"), over)

    async def _look_no_more(self) -> None:
        """Wait for the last look: nothing of ours may ask a database that is closed meanwhile."""
        look, self._look = self._look, None
        if look is not None:
            look.over.set()
            await asyncio.wait({look.task})

    async def _looking(self, position: Position, over: asyncio.Event) -> None:
        while True:
            try:
                async with asyncio.timeout(self._look_every_s):
                    await over.wait()
            except TimeoutError:
                pass
            else:
                return
            try:
                changes = await self._feed.since(position)
            except Exception as error:  # noqa: BLE001 - The database may be away for a while; the pages stay open.
                log.warning("changes of chats not read", error=type(error).__name__)
                continue
            for page in self._pages if changes else ():
                concerned = chats_for(changes, page.scope)
                page.chats |= concerned
                if concerned:
                    page.news.set()
