"""From the simulated platform over HTTP through gateway, turn and outbox back to it, in one process."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from redis.asyncio import Redis

from bot.demo import new_aes_key
from bot.gateway.server import Gateway, Metrics
from bot.simulator.models import SimulatorConfig
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.server import start
from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisLink
from bot.storage.shards import SHARDS
from bot.turns.service import Responder, TurnService
from bot.turns.store import LOCK_TTL_MS, Arrivals, TurnStore
from bot.values.clock import Clock, SystemClock
from bot.wechat.client import WeChatApi
from bot.wechat.codec import Codec
from bot.wechat.token import StableToken
from bot.worker.outbox import OutboxRelay
from bot.worker.pending import PendingSweeper
from tests.support.nlu import free_port

APP_ID, SECRET, TOKEN = "wxturntests", "secret-of-the-tests", "tokenoftests"
DEADLINE_S = 0.3


@dataclass(frozen=True)
class Line:
    """The parts of one running line."""

    platform: SimulatedPlatform
    turns: TurnService
    store: TurnStore
    redis: Redis
    cipher: FieldCipher
    relay: OutboxRelay

    async def relayed(self) -> None:
        """Send what stands in the outbox."""
        await self.relay.relay(range(SHARDS), block_ms=1)

    async def swept(self, clock: Clock, *, age_s: float = 0.0) -> int:
        """Take up the pending messages that are older than ``age_s``; return how many were finished."""
        return await PendingSweeper(self.redis, self.turns, self.cipher, clock, age_s=age_s).sweep(range(SHARDS))

    def texts(self, openid: str) -> list[str]:
        """What the follower saw from the account, in order, whichever way it came."""
        return [shown.text for shown in self.platform.seen(openid)]


@asynccontextmanager
async def open_line(
    redis_url: str,
    cipher: FieldCipher,
    responder: Responder,
    *,
    deadline_s: float = DEADLINE_S,
    attempts: int = 3,
    keep_alive: bool = False,
    lock_ttl_ms: int = LOCK_TTL_MS,
) -> AsyncIterator[Line]:
    """Open a line; nothing of it waits for Redis longer than a moment."""
    clock, port = SystemClock(), free_port()
    config = SimulatorConfig(
        callback_url=f"http://127.0.0.1:{port}/wechat",
        app_id=APP_ID,
        app_secret=SECRET,
        token=TOKEN,
        aes_key=new_aes_key(),
        attempts=attempts,
        keep_alive=keep_alive,
    )
    async with AsyncExitStack() as stack:
        link = await stack.enter_async_context(RedisLink(redis_url, timeout_s=0.2))
        redis = Redis.from_url(redis_url)
        stack.push_async_callback(redis.aclose)
        arrivals = Arrivals(link)
        await arrivals.start()
        stack.push_async_callback(arrivals.close)
        store = TurnStore(link, cipher, clock, state_ttl_s=86_400, lock_ttl_ms=lock_ttl_ms)
        turns = TurnService(store, arrivals, responder, clock, link_choices=False)
        codec = Codec(TOKEN, APP_ID, (config.aes_key,), "safe")
        gateway = Gateway(codec, turns, Metrics(), _always_ready, deadline_s=deadline_s)
        runner = web.AppRunner(gateway.application(), access_log=None, shutdown_timeout=2)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", port).start()
        platform = await stack.enter_async_context(SimulatedPlatform(config, acknowledged_not_production=True))
        running = await start(platform, port=0)
        stack.push_async_callback(running.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        api = WeChatApi(
            http, StableToken(redis, http, platform.base_url, APP_ID, SECRET, clock), platform.base_url, APP_ID
        )
        yield Line(platform, turns, store, redis, cipher, OutboxRelay(redis, api, cipher, clock))


async def _always_ready() -> dict[str, bool]:
    return {"tests": True}
