"""A sending worker in a process of its own that dies with SIGKILL at a point chosen beforehand."""

import asyncio
import os
import secrets
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from multiprocessing.connection import Connection

import aiohttp
from redis.asyncio import Redis

from bot.app.worker import worker_id
from bot.campaigns.batch_rows import Hold
from bot.campaigns.batches import Batches
from bot.campaigns.desk import open_desk
from bot.campaigns.models import SendChannel
from bot.campaigns.pace import Pace
from bot.campaigns.publish_reports import PublishReports
from bot.campaigns.publishing import Publisher
from bot.campaigns.reconciling import Reconciler
from bot.campaigns.sending import BatchSender
from bot.campaigns.stopping import Stops
from bot.settings import Settings
from bot.staff.audit import AuditTrail
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.storage.task_queue import TaskStream
from bot.values.clock import SystemClock
from bot.wechat.client import WeChatApi
from bot.wechat.mass import MassApi, MassContent
from bot.wechat.models import CustomerMessage
from bot.wechat.publishing import PublishApi
from bot.wechat.token import StableToken
from bot.worker.campaigns import BATCH_STREAM, CampaignWorker
from bot.worker.service import Job, Listener, Worker
from bot.worker.shards import ShardLeases

SHORT = timedelta(seconds=0.5)


@dataclass(frozen=True, slots=True)
class SenderPlan:
    """``points`` are how many points of the way are passed before death, ``None`` for a worker that lives.

    ``keeps_ids`` false: every attempt makes an id of its own.
    """

    settings: Settings
    points: int | None = None
    keeps_ids: bool = True


@dataclass(slots=True)
class Fate:
    """Counts the points down."""

    left: int | None

    def point(self) -> None:
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalMass(MassApi):
    """Dies before or after the platform was called."""

    fate: Fate

    async def send_list(self, openids: Sequence[str], content: MassContent, client_id: str) -> int:
        self.fate.point()
        msg_id = await super().send_list(openids, content, client_id)
        self.fate.point()
        return msg_id


class MortalApi(WeChatApi):
    """Dies before or after one person's message was taken."""

    fate: Fate

    async def send_template(
        self,
        openid: str,
        template_id: str,
        data: Mapping[str, str],
        url: str | None = None,
        client_msg_id: str | None = None,
    ) -> int:
        self.fate.point()
        msg_id = await super().send_template(openid, template_id, data, url, client_msg_id)
        self.fate.point()
        return msg_id

    async def send_customer_message(
        self, openid: str, message: CustomerMessage, kf_account: str | None = None
    ) -> None:
        self.fate.point()
        await super().send_customer_message(openid, message, kf_account)
        self.fate.point()


class MortalBatches(Batches):
    """Dies after taking a batch, and before or after writing its result."""

    fate: Fate
    keeps_ids = True

    async def claim(self, batch_id: int) -> Hold | None:
        hold = await super().claim(batch_id)
        if hold is None:
            return None
        self.fate.point()
        return hold if self.keeps_ids else replace(hold, client_id=secrets.token_hex(8))

    async def submitted(self, hold: Hold, msg_id: int | None) -> None:
        self.fate.point()
        await super().submitted(hold, msg_id)
        self.fate.point()


class Hurried(Pace):
    """No pace, so that a test takes seconds; Redis is asked all the same."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis)
        self._redis = redis

    async def take(self, campaign_id: int, channel: SendChannel, per_minute: int, *, calls: int = 1) -> float | None:  # noqa: ARG002
        await self._redis.ping()
        return 0.0


def run(plan: SenderPlan, parent: Connection) -> None:
    """Send until ``parent`` closes its end; something is sent there when the worker is ready."""
    asyncio.run(_work(plan, parent))


async def _work(plan: SenderPlan, parent: Connection) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), stopped.set)
    settings, fate = plan.settings, Fate(plan.points)
    wechat = settings.wechat
    redis, stream = Redis.from_url(settings.redis_url), TaskStream(settings.redis_url, name=BATCH_STREAM)
    database, clock = Database(settings.database_url), SystemClock()
    trail = AuditTrail(database, FieldCipher.from_setting(settings.field_keys), clock)
    # Without the rest of the composition, so that a hundred workers start within the time of one test.
    desk = open_desk(database, clock, trail, account="service")
    async with aiohttp.ClientSession() as http:
        token = StableToken(redis, http, wechat.api_base, wechat.app_id, wechat.app_secret, clock)
        api = MortalApi(http, token, wechat.api_base, wechat.app_id)
        mass, batches = (
            MortalMass(api.client),
            MortalBatches(database, clock, lease=SHORT, told_again_after=timedelta(seconds=1)),
        )
        mass.fate, api.fate, batches.fate, batches.keeps_ids = fate, fate, fate, plan.keeps_ids
        stops = Stops(database, clock, desk.service)
        sender = BatchSender(batches, Hurried(redis), stops, mass, api, clock)
        publishing = PublishApi(api.client)
        campaigns = CampaignWorker(
            stream,
            desk.service,
            batches,
            sender,
            stops,
            Reconciler(database, clock, mass),
            Publisher(desk.publications, stops, mass, publishing),
            PublishReports(database, clock, desk.publications, publishing),
        )
        worker = Worker(
            ShardLeases(redis, worker_id(), clock),
            (Job("start", campaigns.start_due, rest_s=0.05), Job("sweep", campaigns.sweep, rest_s=0.2)),
            (Listener("batches", campaigns.listen),),
        )
        working = asyncio.create_task(worker.run())
        parent.send("ready")
        await stopped.wait()
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    await stream.close()
    await redis.aclose()
    await database.close()
