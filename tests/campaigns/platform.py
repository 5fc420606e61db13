"""The sending side against the simulated platform, over HTTP."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from bot.campaigns.batches import Batches
from bot.campaigns.models import Recipient
from bot.campaigns.publications import Publications
from bot.campaigns.publish_reports import PublishReports
from bot.campaigns.publishing import Publisher
from bot.campaigns.reconciling import JobReports, Reconciler
from bot.campaigns.sending import BatchSender
from bot.campaigns.stopping import Stops
from bot.simulator.followers import start_following
from bot.simulator.platform import SimulatedPlatform
from bot.storage.sql import Database
from bot.values.clock import MovedClock
from bot.wechat.client import WeChatApi
from bot.wechat.mass import MassApi
from tests.campaigns.people import add_followers, openid


@dataclass(slots=True)
class Sending:
    """What a worker sends with, and the platform that it sends to."""

    database: Database
    clock: MovedClock
    platform: SimulatedPlatform
    batches: Batches
    sender: BatchSender
    stops: Stops
    reports: JobReports
    reconciler: Reconciler
    mass: MassApi
    api: WeChatApi
    publisher: Publisher
    publish_reports: PublishReports
    publications: Publications

    async def people(self, numbers: range) -> None:
        """Make followers that both sides know."""
        await add_followers(self.database, numbers, self.clock.now())
        for number in numbers:
            start_following(self.platform.followers.add(f"职工{number}", openid(number)), self.clock.now())

    async def run(self, rounds: int = 1) -> None:
        """Send what is free, ``rounds`` times, with a quarter of an hour between."""
        for left in range(rounds, 0, -1):
            while due := await self.batches.due():
                for batch_id in due:
                    await self.sender.run(batch_id)
            if left > 1:
                self.clock.move(timedelta(minutes=15))

    async def publish(self) -> None:
        """Begin what waits, let the platform work it off, and apply what it reported or lists."""
        await self.publisher.run_due()
        await self.platform.settle()
        await self.publish_reports.apply()

    async def outcomes(self, campaign_id: int) -> dict[str, int]:
        """Return how many recipients have which outcome."""
        query = select(Recipient.outcome, func.count()).where(Recipient.campaign_id == campaign_id)
        async with self.database.reading() as session:
            return {row[0]: row[1] for row in await session.execute(query.group_by(Recipient.outcome))}
