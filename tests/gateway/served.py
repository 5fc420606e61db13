"""A gateway over HTTP with a responder that echoes, and a client that posts whatever it is given."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from bot.gateway.server import Gateway, Metrics
from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisLink
from bot.turns.service import TurnService
from bot.turns.store import Arrivals, TurnStore
from bot.values.clock import SystemClock
from bot.wechat.codec import Codec
from tests.support.wechat_callbacks import Callback
from tests.turns.scripted import Scripted


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Served:
    """A running gateway, from outside."""

    base: str
    http: aiohttp.ClientSession

    async def deliver(self, callback: Callback, headers: Mapping[str, str] | None = None) -> Answered:
        """Post a callback as it is."""
        async with self.http.post(
            f"{self.base}/wechat", params=callback.query, data=callback.body, headers=headers
        ) as response:
            return Answered(response.status, await response.read())

    async def get(self, path: str, query: Mapping[str, str] | None = None) -> Answered:
        """Get a page."""
        async with self.http.get(f"{self.base}{path}", params=query or {}) as response:
            return Answered(response.status, await response.read())

    async def counted(self, name: str, **labels: str) -> float:
        """Return the value of a counter, 0 when it was never counted."""
        text = (await self.get("/metrics")).body.decode()
        wanted = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        found = re.search(rf"^{re.escape(name)}\{{{re.escape(wanted)}\}} (\S+)$", text, re.MULTILINE)
        return float(found[1]) if found else 0.0


@asynccontextmanager
async def served(gateway: Gateway) -> AsyncIterator[Served]:
    """Serve a gateway on a free port."""
    runner = web.AppRunner(gateway.application(), access_log=None, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with aiohttp.ClientSession() as http:
            yield Served(f"http://127.0.0.1:{runner.addresses[0][1]}", http)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def echoing(
    codec: Codec, redis_url: str, cipher: FieldCipher, *, deadline_s: float = 4.0, responder: Scripted | None = None
) -> AsyncIterator[Served]:
    """Serve a gateway whose turns echo what was said."""
    async with AsyncExitStack() as stack:
        link = await stack.enter_async_context(RedisLink(redis_url))
        arrivals = Arrivals(link)
        await arrivals.start()
        stack.push_async_callback(arrivals.close)
        store = TurnStore(link, cipher, SystemClock(), state_ttl_s=60)
        turns = TurnService(store, arrivals, responder or Scripted(), SystemClock(), link_choices=False)
        gateway = Gateway(codec, turns, Metrics(), _always_ready, deadline_s=deadline_s)
        yield await stack.enter_async_context(served(gateway))


async def _always_ready() -> dict[str, bool]:
    return {"tests": True}
