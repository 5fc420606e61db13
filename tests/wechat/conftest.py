"""What the tests of this folder share."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.values.clock import MovedClock
from bot.wechat.codec import Codec
from tests.support.wechat_callbacks import PlatformSide, aes_key
from tests.wechat.fake_api import FakeApi, server_of

TOKEN = "tongren2026"
APP_ID = "wx13579bdf02468ace"
KEY = aes_key("current")
PREVIOUS_KEY = aes_key("previous")
PAYLOADS = Path(__file__).parent / "payloads"


def payload(name: str) -> str:
    """Return the recorded delivery ``name``."""
    return (PAYLOADS / f"{name}.xml").read_text()


@pytest.fixture
def platform() -> PlatformSide:
    return PlatformSide(TOKEN, APP_ID, KEY)


@pytest.fixture
def codec() -> Codec:
    """Safe mode, in the middle of a change of keys."""
    return Codec(TOKEN, APP_ID, (KEY, PREVIOUS_KEY), "safe")


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
async def api(clock: MovedClock) -> AsyncIterator[FakeApi]:
    """The platform's API, answering at ``api.base``."""
    fake = FakeApi(clock)
    async with server_of(fake) as server:
        fake.base = f"http://{server.host}:{server.port}"
        yield fake
