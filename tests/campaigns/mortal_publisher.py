"""A publishing worker in a process of its own that dies with SIGKILL at a point chosen beforehand."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

import aiohttp
from redis.asyncio import Redis
from sqlalchemy import update

from bot.campaigns.desk import open_desk
from bot.campaigns.publication_models import Publication, PublicationState
from bot.campaigns.publications import Publications, Turn
from bot.campaigns.publish_reports import PublishReports
from bot.campaigns.publishing import Publisher
from bot.campaigns.stopping import Stops
from bot.settings import Settings
from bot.staff.audit import AuditTrail, AuditWriter
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock, SystemClock
from bot.wechat.client import WeChatApi
from bot.wechat.mass import DraftArticle, MassApi
from bot.wechat.publishing import PublishApi
from bot.wechat.token import StableToken
from tests.campaigns.mortal_sender import SHORT, Fate

POINTS = (
    "taken",
    "before the draft",
    "after the draft",
    "draft noted",
    "begun",
    "before the call",
    "after the call",
    "before the number is written",
    "number written",
)
"""Where it may die, in the order of its way."""
REST_S = 0.05


@dataclass(frozen=True, slots=True)
class PublisherPlan:
    """``points`` are how many points of the way of ``campaign_id`` are passed before death.

    Without them it lives and publishes all that is due. ``remembers`` false: what was begun and not ended is begun
    again.
    """

    settings: Settings
    campaign_id: int | None = None
    points: int | None = None
    remembers: bool = True


class MortalMass(MassApi):
    """Dies before or after a draft is made."""

    fate: Fate

    async def add_draft(self, articles: Sequence[DraftArticle]) -> str:
        self.fate.point()
        media_id = await super().add_draft(articles)
        self.fate.point()
        return media_id


class MortalApi(PublishApi):
    """Dies before or after the platform was called."""

    fate: Fate

    async def submit(self, media_id: str) -> str:
        self.fate.point()
        publish_id = await super().submit(media_id)
        self.fate.point()
        return publish_id


class MortalPublications(Publications):
    """Dies after each row that is written, and before the job's number is."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter, fate: Fate, remembers: bool) -> None:
        super().__init__(database, clock, trail=trail, lease=SHORT)
        self._fate = fate
        self._remembers = remembers

    async def claim(self, campaign_id: int) -> Turn | None:
        turn = await super().claim(campaign_id)
        if turn is not None:
            self._fate.point()
        return turn

    async def keep_draft(self, turn: Turn, media_id: str) -> bool:
        kept = await super().keep_draft(turn, media_id)
        self._fate.point()
        return kept

    async def begin(self, turn: Turn) -> bool:
        may = await super().begin(turn)
        self._fate.point()
        return may

    async def submitted(self, turn: Turn, publish_id: str) -> None:
        self._fate.point()
        await super().submitted(turn, publish_id)
        self._fate.point()

    async def lost(self) -> int:
        if self._remembers:
            return await super().lost()
        stale = (
            Publication.state == PublicationState.PUBLISHING.value,
            Publication.publish_id.is_(None),
            Publication.lease_until <= self._clock.now(),
        )
        afresh = {"state": PublicationState.WAITING.value, "media_id": None, "lease_until": None}
        async with self._database.transaction() as session:
            await session.execute(update(Publication).where(*stale).values(afresh))
        return 0


def run(plan: PublisherPlan, parent: Connection) -> None:
    """Publish until ``parent`` closes its end."""
    asyncio.run(_work(plan, parent))


async def _work(plan: PublisherPlan, parent: Connection) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), stopped.set)
    settings, fate, clock = plan.settings, Fate(plan.points), SystemClock()
    redis, database, wechat = Redis.from_url(settings.redis_url), Database(settings.database_url), settings.wechat
    trail = AuditTrail(database, FieldCipher.from_setting(settings.field_keys), clock)
    desk = open_desk(database, clock, trail, account="service")
    publications = MortalPublications(database, clock, trail=trail, fate=fate, remembers=plan.remembers)
    async with aiohttp.ClientSession() as http:
        token = StableToken(redis, http, wechat.api_base, wechat.app_id, wechat.app_secret, clock)
        client = WeChatApi(http, token, wechat.api_base, wechat.app_id).client
        mass, api, stops = MortalMass(client), MortalApi(client), Stops(database, clock, desk.service)
        mass.fate = api.fate = fate
        publisher, reports = (
            Publisher(publications, stops, mass, api),
            PublishReports(database, clock, publications, api),
        )
        while not stopped.is_set():
            await (publisher.run_due() if plan.campaign_id is None else publisher.run(plan.campaign_id))
            await reports.apply()
            await reports.ask()
            await stops.sweep()
            await asyncio.sleep(REST_S)
    await redis.aclose()
    await database.close()
