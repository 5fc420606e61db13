"""Fixtures: an account server in safe mode, the platform that posts to it, and a client of the platform's API."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession

from bot.simulator.models import Follower
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.server import start
from bot.values.clock import MovedClock
from tests.simulator.client import ApiClient
from tests.simulator.gateway import Gateway, config


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    """An account server that echoes texts."""
    account = Gateway()
    runner = await account.start()
    yield account
    await runner.cleanup()


@pytest.fixture
async def platform(gateway: Gateway, clock: MovedClock) -> AsyncIterator[SimulatedPlatform]:
    """The platform, served on a free port, on a clock that stands still."""
    simulated = SimulatedPlatform(config(gateway.url), clock, acknowledged_not_production=True)
    async with simulated:
        running = await start(simulated, port=0)
        yield simulated
        await simulated.settle()
        await running.close()


@pytest.fixture
async def hasty(gateway: Gateway, clock: MovedClock) -> AsyncIterator[SimulatedPlatform]:
    """A platform that gives up on a delivery after half a second."""
    settings = config(gateway.url, deadline_s=0.5)
    async with SimulatedPlatform(settings, clock, acknowledged_not_production=True) as simulated:
        yield simulated


@pytest.fixture
def yang(platform: SimulatedPlatform) -> Follower:
    """Somebody who follows the account."""
    return platform.add_follower("杨师傅")


@pytest.fixture
async def api(platform: SimulatedPlatform) -> AsyncIterator[ApiClient]:
    """The platform's API as the account calls it, with a good token."""
    async with ClientSession() as session:
        yield ApiClient(session, platform.base_url, platform.tokens.stable(platform.clock.now(), force=False).value)
