"""A turn store over the private Redis, the service over it, and a whole line from the platform and back."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.storage.encryption import FieldCipher
from bot.storage.redis import RedisLink
from bot.turns.service import TurnService
from bot.turns.store import Arrivals, TurnStore
from bot.values.clock import MovedClock
from tests.support.assistant import Assistant, running_assistant, settings_for
from tests.turns.line import Line, open_line
from tests.turns.scripted import Scripted

PATIENCE_S = 30.0


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[RedisLink]:
    """A link to the private Redis."""
    async with RedisLink(redis_url) as opened:
        yield opened


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """An ordinary client of the private Redis."""
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


@pytest.fixture
def store(link: RedisLink, cipher: FieldCipher, clock: MovedClock) -> TurnStore:
    """The store of turns."""
    return TurnStore(link, cipher, clock, state_ttl_s=86_400)


@pytest.fixture
async def arrivals(link: RedisLink) -> AsyncIterator[Arrivals]:
    """The notifications that waiting turns listen to."""
    listening = Arrivals(link)
    await listening.start()
    yield listening
    await listening.close()


@pytest.fixture
def responder() -> Scripted:
    """What answers."""
    return Scripted()


@pytest.fixture
def turns(store: TurnStore, arrivals: Arrivals, responder: Scripted, clock: MovedClock) -> TurnService:
    """The service under test."""
    return TurnService(store, arrivals, responder, clock, link_choices=False)


@pytest.fixture
async def line(redis_url: str, cipher: FieldCipher, responder: Scripted) -> AsyncIterator[Line]:
    """The gateway in front of the simulated platform, with the outbox behind it."""
    async with open_line(redis_url, cipher, responder) as opened:
        yield opened


@pytest.fixture
async def assistant(seeded_url: str, redis_url: str, tmp_path: Path, clock: MovedClock) -> AsyncIterator[Assistant]:
    """A running assistant without the NLU."""
    settings = settings_for(database_url=seeded_url, redis_url=redis_url, data_dir=tmp_path)
    settings = replace(settings, turn_deadline_s=PATIENCE_S - 5)
    async with running_assistant(settings, clock, deadline_s=PATIENCE_S) as running:
        yield running
