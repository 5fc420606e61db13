"""Server-sent events: pages learn that a chat changed, and fetch what they show anew. No text travels this way."""

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Final

import structlog
from aiohttp import web

from bot.inbox.feed import ChatFeed, Glance, changed

log = structlog.get_logger(__name__)

LOOK_EVERY_S: Final = 0.7
BEAT_EVERY_S: Final = 15.0
STREAM_LASTS_S: Final = 240.0
"""After this a stream ends and the browser comes again, past the gate: an ended session sees no more."""
RETRY_MS: Final = 1000
WAITING_MAX: Final = 200
"""Changes that a stream has not taken yet; a browser that is slower than that is told to look at everything."""

Wanted = Callable[[Glance], bool]
Changes = asyncio.Queue[Mapping[int, Glance] | None]


class LiveChats:
    """One look a moment for the whole process, told to every open page that may see the chat."""

    def __init__(self, feed: ChatFeed, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self._feed = feed
        self._look_every_s = look_every_s
        self._pages: set[Changes] = set()
        self._looking: asyncio.Task[None] | None = None

    async def stream(self, request: web.Request, wanted: Wanted) -> web.StreamResponse:
        """Answer with events until the page is closed or the stream is old; ``wanted``: what the viewer may see."""
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        changes: Changes = asyncio.Queue(maxsize=WAITING_MAX)
        self._pages.add(changes)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(), name="chat feed")
        try:
            await response.write(f"retry: {RETRY_MS}\n\n".encode())
            await self._tell(response, changes, wanted)
        except (ConnectionResetError, asyncio.CancelledError):
            # The page is gone, or the server stops; there is nobody to tell.
            return response
        finally:
            self._pages.discard(changes)
        return response

    async def close(self) -> None:
        """End every stream."""
        for changes in self._pages:
            with contextlib.suppress(asyncio.QueueFull):
                changes.put_nowait(None)
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _tell(self, response: web.StreamResponse, changes: Changes, wanted: Wanted) -> None:
        loop = asyncio.get_running_loop()
        ends = loop.time() + STREAM_LASTS_S
        while loop.time() < ends:
            try:
                async with asyncio.timeout(BEAT_EVERY_S):
                    news = await changes.get()
            except TimeoutError:
                await response.write(b": still here\n\n")
                continue
            if news is None:
                return
            ids = sorted(chat_id for chat_id, glance in news.items() if wanted(glance))
            if ids:
                await response.write(f"event: chats\ndata: {json.dumps(ids)}\n\n".encode())

    async def _look(self) -> None:
        before = await self._feed.look()
        while self._pages:
            await asyncio.sleep(self._look_every_s)
            try:
                after = await self._feed.look()
            except Exception as error:  # noqa: BLE001 - The database may be away for a while; the pages stay open.
                log.warning("chats not looked at", error=type(error).__name__)
                continue
            if news := changed(before, after):
                for page in self._pages:
                    if page.full():
                        # What waits is old news: the page looks at everything when it gets the newest.
                        _empty(page)
                    page.put_nowait(news)
            before = after


def _empty(page: Changes) -> None:
    while not page.empty():
        page.get_nowait()
