"""A running gateway in safe mode, and the platform's side of its callback by wechatpy's own crypto."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.encryption import FieldCipher
from bot.wechat.codec import Codec
from tests.gateway.served import Served, echoing
from tests.support.wechat_callbacks import PlatformSide, aes_key

TOKEN, APP_ID = "tokenofgateway", "wxgatewaytests"
KEY, PREVIOUS_KEY = aes_key("current"), aes_key("previous")


@pytest.fixture
def platform() -> PlatformSide:
    """The platform with the account's current key."""
    return PlatformSide(TOKEN, APP_ID, KEY)


@pytest.fixture
async def gateway(redis_url: str, cipher: FieldCipher) -> AsyncIterator[Served]:
    """A gateway in safe mode, in the middle of a change of keys."""
    async with echoing(Codec(TOKEN, APP_ID, (KEY, PREVIOUS_KEY), "safe"), redis_url, cipher) as running:
        yield running


@pytest.fixture
async def plain_gateway(redis_url: str, cipher: FieldCipher) -> AsyncIterator[Served]:
    """A gateway in plain mode."""
    async with echoing(Codec(TOKEN, APP_ID, (), "plain"), redis_url, cipher) as running:
        yield running
