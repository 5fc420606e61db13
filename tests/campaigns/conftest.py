"""The services under test, on the database of the test."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from redis.asyncio import Redis

from bot.app.records import Records, open_records
from bot.campaigns.batches import Batches
from bot.campaigns.opt_outs import OptOuts
from bot.campaigns.pace import Pace
from bot.campaigns.planning import Planner
from bot.campaigns.progress import CampaignLists
from bot.campaigns.publications import Publications
from bot.campaigns.publish_reports import PublishReports
from bot.campaigns.publishing import Publisher
from bot.campaigns.reconciling import JobReports, Reconciler
from bot.campaigns.sending import BatchSender
from bot.campaigns.service import CampaignService
from bot.campaigns.stopping import Stops
from bot.demo import new_aes_key
from bot.settings import Settings
from bot.simulator.models import SimulatorConfig
from bot.simulator.platform import SimulatedPlatform
from bot.simulator.server import start
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.wechat.client import WeChatApi
from bot.wechat.mass import MassApi
from bot.wechat.publishing import PublishApi
from bot.wechat.token import StableToken
from tests.campaigns.platform import Sending

APP_ID, SECRET = "wxcampaigntests", "secret-of-the-tests"


@pytest.fixture
def audit(database: Database, cipher: FieldCipher, clock: MovedClock) -> AuditTrail:
    return AuditTrail(database, cipher, clock)


@pytest.fixture
def planner(database: Database, clock: MovedClock) -> Planner:
    return Planner(database, clock)


@pytest.fixture
def service(database: Database, clock: MovedClock, planner: Planner, audit: AuditTrail) -> CampaignService:
    return CampaignService(database, clock, planner=planner, trail=audit)


@pytest.fixture
def publications(database: Database, clock: MovedClock, audit: AuditTrail) -> Publications:
    return Publications(database, clock, trail=audit)


@pytest.fixture
def lists(database: Database, clock: MovedClock) -> CampaignLists:
    return CampaignLists(database, clock)


@pytest.fixture
def opt_outs(database: Database, clock: MovedClock) -> OptOuts:
    return OptOuts(database, clock)


@pytest.fixture
async def platform(clock: MovedClock) -> AsyncIterator[SimulatedPlatform]:
    """The platform on the test's clock; its callbacks go nowhere, so what it reports is asked for."""
    config = SimulatorConfig(
        callback_url="http://127.0.0.1:9/wechat",
        app_id=APP_ID,
        app_secret=SECRET,
        token="tokenoftests",
        aes_key=new_aes_key(),
        attempts=1,
        tells_of_mass_jobs=False,
        tells_of_publications=False,
    )
    async with SimulatedPlatform(config, clock, acknowledged_not_production=True) as simulated:
        running = await start(simulated, port=0)
        yield simulated
        await running.close()


@pytest.fixture
async def sending(
    database: Database,
    clock: MovedClock,
    platform: SimulatedPlatform,
    service: CampaignService,
    publications: Publications,
    redis_url: str,
) -> AsyncIterator[Sending]:
    """The sender of a worker, without waiting for turns."""

    async def at_once(_seconds: float) -> None:
        await asyncio.sleep(0)

    redis = Redis.from_url(redis_url)
    async with aiohttp.ClientSession() as http:
        api = WeChatApi(
            http, StableToken(redis, http, platform.base_url, APP_ID, SECRET, clock), platform.base_url, APP_ID
        )
        mass, batches = MassApi(api.client), Batches(database, clock)
        stops, publishing = Stops(database, clock, service), PublishApi(api.client)
        sender = BatchSender(batches, Pace(redis), stops, mass, api, clock, sleep=at_once)
        yield Sending(
            database,
            clock,
            platform,
            batches,
            sender,
            stops,
            JobReports(database, clock),
            Reconciler(database, clock, mass),
            mass,
            api,
            Publisher(publications, stops, mass, publishing),
            PublishReports(database, clock, publications, publishing),
            publications,
        )
    await redis.aclose()


@pytest.fixture
async def records(settings: Settings) -> AsyncIterator[Records]:
    """Every part over the settings of the test's own file."""
    async with open_records(settings) as opened:
        yield opened
