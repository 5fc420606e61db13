"""Lists of campaigns and how far each is: sums over its batches, never over its recipients."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.errors import NoSuchCampaign
from bot.campaigns.models import OPEN_BATCHES, Campaign, CampaignBatch, CampaignState, Outcome
from bot.campaigns.rules import time_left
from bot.campaigns.views import CampaignPage, Progress, view_of
from bot.storage.sql import Database
from bot.values.clock import Clock

PAGE = 20
_COUNTED = {
    Outcome.QUEUED: CampaignBatch.queued,
    Outcome.SUBMITTED: CampaignBatch.submitted,
    Outcome.DELIVERED: CampaignBatch.delivered,
    Outcome.FAILED: CampaignBatch.failed,
    Outcome.UNKNOWN: CampaignBatch.unknown,
    Outcome.SKIPPED: CampaignBatch.skipped,
    Outcome.CANCELLED: CampaignBatch.cancelled,
}


class CampaignLists:
    """Reads campaigns for lists, and their progress while they go out."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(
        self,
        *,
        state: CampaignState | None = None,
        before: int | None = None,
        began: tuple[datetime, datetime] | None = None,
        limit: int = PAGE,
    ) -> CampaignPage:
        """Return a page of campaigns, the newest first, each with its progress.

        ``began`` narrows to those whose sending began from the first moment until before the second.
        """
        wanted = select(Campaign).order_by(Campaign.id.desc()).limit(limit + 1)
        if state is not None:
            wanted = wanted.where(Campaign.state == state.value)
        if began is not None:
            wanted = wanted.where(Campaign.frozen_at >= began[0], Campaign.frozen_at < began[1])
        if before is not None:
            wanted = wanted.where(Campaign.id < before)
        async with self._database.reading() as session:
            rows = list(await session.scalars(wanted))
            kept = rows[:limit]
            progress = await self._progress(session, kept)
        following = kept[-1].id if len(rows) > limit else None
        return CampaignPage(tuple(view_of(row) for row in kept), progress, following)

    async def count(self, state: CampaignState) -> int:
        """Return how many campaigns are in a state."""
        query = select(func.count()).select_from(Campaign).where(Campaign.state == state.value)
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def progress(self, campaign_id: int) -> Progress:
        """Return how far a campaign is; raises NoSuchCampaign."""
        async with self._database.reading() as session:
            row = await session.get(Campaign, campaign_id)
            if row is None:
                raise NoSuchCampaign(campaign_id=campaign_id)
            return (await self._progress(session, [row]))[campaign_id]

    async def _progress(self, session: AsyncSession, rows: Iterable[Campaign]) -> dict[int, Progress]:
        campaigns = {row.id: row for row in rows}
        sums = [func.sum(column) for column in _COUNTED.values()]
        is_open = CampaignBatch.state.in_(OPEN_BATCHES)
        query = (
            select(
                CampaignBatch.campaign_id,
                func.count(),
                func.sum(case((is_open, 1), else_=0)),
                func.min(CampaignBatch.first_tried_at),
                func.max(CampaignBatch.submitted_at),
                func.sum(CampaignBatch.sent_count),
                func.sum(CampaignBatch.error_count),
                *sums,
            )
            .where(CampaignBatch.campaign_id.in_(campaigns))
            .group_by(CampaignBatch.campaign_id)
        )
        found = {one[0]: one[1:] for one in await session.execute(query)}
        now = self._clock.now()
        return {key: _progress(row, found.get(key), now) for key, row in campaigns.items()}


def _progress(row: Campaign, sums: tuple[object, ...] | None, now: datetime) -> Progress:
    state, view = CampaignState(row.state), view_of(row)
    left_out = sum(row.skipped.values())
    if sums is None:
        return Progress(state, {Outcome.SKIPPED: left_out} if left_out else {}, row.total, 0, 0, 0)
    batches, is_open, began, ended, by_platform, errors, *counts = sums
    by_outcome = {outcome: int(str(count or 0)) for outcome, count in zip(_COUNTED, counts, strict=True)}
    by_outcome[Outcome.SKIPPED] += left_out
    waiting = by_outcome[Outcome.QUEUED]
    done = max(0, row.total - waiting)
    sent = by_outcome[Outcome.SUBMITTED] + by_outcome[Outcome.DELIVERED] + by_outcome[Outcome.FAILED]
    rate, left = None, None
    if isinstance(began, datetime) and sent:
        until = now if state is CampaignState.SENDING else (ended if isinstance(ended, datetime) else now)
        elapsed = until - began
        if elapsed.total_seconds() >= 1:
            rate = sent * 60 / elapsed.total_seconds()
            left = time_left(waiting, sent, elapsed) if state is CampaignState.SENDING else None
    is_waiting = state is CampaignState.SENDING and not view.hours.is_open(now)
    return Progress(
        state=state,
        counts={outcome: count for outcome, count in by_outcome.items() if count},
        total=row.total,
        done=done,
        batches=int(str(batches)),
        batches_done=int(str(batches)) - int(str(is_open or 0)),
        per_minute=rate,
        left=left,
        waits_until=view.hours.next_opening(now) if is_waiting else None,
        sent_by_platform=None if by_platform is None else int(str(by_platform)),
        errors_by_platform=None if errors is None else int(str(errors)),
    )
