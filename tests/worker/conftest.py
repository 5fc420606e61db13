"""The worker's parts over a real Redis, against the simulated platform over HTTP."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.demo import new_aes_key
from bot.simulator.models import SimulatorConfig
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.server import start
from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisLink
from bot.turns.store import TurnStore
from bot.values.clock import MovedClock, SystemClock
from bot.wechat.client import WeChatApi
from bot.wechat.token import StableToken
from bot.worker.outbox import OutboxRelay

APP_ID, SECRET = "wxworkertests", "secret-of-the-tests"


@pytest.fixture
async def platform() -> AsyncIterator[SimulatedPlatform]:
    """The platform; its callbacks go nowhere."""
    config = SimulatorConfig(
        callback_url="http://127.0.0.1:9/wechat",
        app_id=APP_ID,
        app_secret=SECRET,
        token="tokenoftests",
        aes_key=new_aes_key(),
        attempts=1,
    )
    async with SimulatedPlatform(config, acknowledged_not_production=True) as simulated:
        running = await start(simulated, port=0)
        yield simulated
        await running.close()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """An ordinary client of the private Redis."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    """A link to the private Redis."""
    async with RedisLink(redis_url) as opened:
        yield opened


@pytest.fixture
def store(link: RedisLink, cipher: FieldCipher) -> TurnStore:
    """The store of turns, on the machine's clock: the platform counts allowances by it."""
    return TurnStore(link, cipher, SystemClock(), state_ttl_s=86_400)


@pytest.fixture
async def api(platform: SimulatedPlatform, redis: Redis) -> AsyncIterator[WeChatApi]:
    """The real client, talking to the simulated platform."""
    async with aiohttp.ClientSession() as http:
        token = StableToken(redis, http, platform.base_url, APP_ID, SECRET, SystemClock())
        yield WeChatApi(http, token, platform.base_url, APP_ID)


@pytest.fixture
def relay(redis: Redis, api: WeChatApi, cipher: FieldCipher) -> OutboxRelay:
    """The relay under test."""
    return OutboxRelay(redis, api, cipher, SystemClock())


@pytest.fixture
def moved_clock() -> MovedClock:
    """A clock at the present moment, to be moved."""
    return MovedClock(SystemClock().now())
