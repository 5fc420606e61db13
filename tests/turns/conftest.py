"""A turn store over the private Redis."""

from collections.abc import AsyncIterator

import pytest

from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisLink
from bot.turns.store import TurnStore
from bot.values.clock import MovedClock


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    """A link to the private Redis."""
    async with RedisLink(redis_url) as opened:
        yield opened


@pytest.fixture
def store(link: RedisLink, cipher: FieldCipher, clock: MovedClock) -> TurnStore:
    """The store of turns."""
    return TurnStore(link, cipher, clock, state_ttl_s=86_400)
