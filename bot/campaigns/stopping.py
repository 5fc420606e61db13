"""When a campaign stops by itself: too many failures, a quota that is used up, or nothing left to send."""

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.batch_rows import recount
from bot.campaigns.errors import NotInThisState
from bot.campaigns.models import (
    OPEN_BATCHES,
    BatchState,
    Campaign,
    CampaignBatch,
    CampaignState,
    Outcome,
    Recipient,
    SendChannel,
)
from bot.campaigns.publication_models import PublicationState
from bot.campaigns.publication_rows import publication_of
from bot.campaigns.rules import fails_too_often
from bot.campaigns.service import CampaignService
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.errors import BotError

log = structlog.get_logger(__name__)

SYSTEM = "system"


class Stops:
    """Looks at campaigns that go out, after each batch and now and then."""

    def __init__(self, database: Database, clock: Clock, service: CampaignService) -> None:
        self._database = database
        self._clock = clock
        self._service = service

    async def pause(self, campaign_id: int, error: BotError) -> None:
        """Pause because the platform takes nothing until somebody has looked."""
        log.warning("a campaign is paused", campaign=campaign_id, error=error.code)
        try:
            await self._service.pause(campaign_id, by=SYSTEM, reason=error.code.rpartition(".")[2])
        except NotInThisState:
            return

    async def after_batch(self, campaign_id: int) -> None:
        """Pause when too many failed; end the campaign when its last batch is done and nothing is being published."""
        async with self._database.transaction() as session:
            wanted = select(Campaign).where(Campaign.id == campaign_id).with_for_update()
            row = (await session.scalars(wanted)).one()
            if row.state != CampaignState.SENDING.value:
                return
            failed, tried, is_open = await self._sums(session, campaign_id)
            if SendChannel(row.channel).publishes:
                publication = await publication_of(session, campaign_id)
                is_open = is_open or (publication is not None and PublicationState(publication.state).is_open)
            if is_open and fails_too_often(failed, tried, row.max_failed_percent):
                await self._service.pause_in(session, row, by=SYSTEM, reason="error_rate")
            elif not is_open:
                is_lost = failed and failed == tried
                row.state = (CampaignState.FAILED if is_lost else CampaignState.SENT).value
                row.finished_at = self._clock.now()

    async def sweep(self) -> int:
        """End what a dead worker left unended, and settle what cancelled campaigns had under way; return how many."""
        sending = select(Campaign.id).where(Campaign.state == CampaignState.SENDING.value)
        async with self._database.reading() as session:
            ids = list(await session.scalars(sending))
        for campaign_id in ids:
            await self.after_batch(campaign_id)
        return await self._settle_cancelled()

    async def _settle_cancelled(self) -> int:
        """Of a cancelled campaign nothing is sent again: what was under way for too long stays unknown."""
        stale = (
            select(CampaignBatch)
            .join(Campaign, Campaign.id == CampaignBatch.campaign_id)
            .where(
                Campaign.state == CampaignState.CANCELLED.value,
                CampaignBatch.state == BatchState.SENDING.value,
                CampaignBatch.lease_until <= self._clock.now(),
            )
        )
        async with self._database.reading() as session:
            if (await session.scalars(stale.limit(1))).first() is None:
                return 0
        async with self._database.transaction() as session:
            rows = list(await session.scalars(stale.limit(50).with_for_update(of=CampaignBatch)))
            for row in rows:
                await self._settle(session, row)
        return len(rows)

    async def _settle(self, session: AsyncSession, row: CampaignBatch) -> None:
        campaign = await session.get_one(Campaign, row.campaign_id)
        mine = Recipient.campaign_id == row.campaign_id, Recipient.chunk == row.chunk
        is_mass = SendChannel(campaign.channel).is_mass
        rest = Outcome.UNKNOWN if is_mass else Outcome.CANCELLED
        now = self._clock.now()
        for source, target in ((Outcome.QUEUED, rest), (Outcome.SUBMITTING, Outcome.UNKNOWN)):
            moved = update(Recipient).where(*mine, Recipient.outcome == source.value)
            await session.execute(moved.values(outcome=target.value, at=now))
        await recount(session, row)
        row.state, row.lease_until = (BatchState.UNKNOWN if is_mass else BatchState.CANCELLED).value, None

    async def _sums(self, session: AsyncSession, campaign_id: int) -> tuple[int, int, bool]:
        """Return how many failed, how many were tried at all, and whether a batch is still to be sent."""
        query = select(
            func.coalesce(func.sum(CampaignBatch.failed), 0),
            func.coalesce(func.sum(CampaignBatch.size - CampaignBatch.queued - CampaignBatch.skipped), 0),
        ).where(CampaignBatch.campaign_id == campaign_id)
        failed, tried = (await session.execute(query)).one()
        still_open = select(CampaignBatch.id).where(
            CampaignBatch.campaign_id == campaign_id, CampaignBatch.state.in_(OPEN_BATCHES)
        )
        return int(failed), int(tried), await session.scalar(still_open.limit(1)) is not None
