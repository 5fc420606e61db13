"""Batches in SQL: taken by one worker at a time, and every result written under the fence of who took it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import content as contents
from bot.campaigns.batch_rows import Hold, held, hours_of, in_batch, locked, recount
from bot.campaigns.models import (
    OPEN_BATCHES,
    BatchState,
    Campaign,
    CampaignBatch,
    CampaignState,
    OptOut,
    Outcome,
    Recipient,
    SendChannel,
)
from bot.campaigns.platform_drafts import draft_note
from bot.campaigns.publication_models import PublicationState
from bot.campaigns.publication_rows import is_published, publication_of
from bot.campaigns.reach import WINDOW_CLOSED
from bot.campaigns.rules import CLIENT_ID_LIFE, MASS_LIST_MIN, WINDOW
from bot.campaigns.singles import SingleMessages
from bot.followers.models import Follower
from bot.storage.sql import Database
from bot.values.clock import Clock

LEASE = timedelta(seconds=60)
TOLD_AT_ONCE = 16
TOLD_AGAIN_AFTER = timedelta(seconds=30)


class Batches:
    """Takes batches and writes what became of them. A write under an old fence changes nothing."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        lease: timedelta = LEASE,
        told_again_after: timedelta = TOLD_AGAIN_AFTER,
    ) -> None:
        self.singles = SingleMessages(database, clock, lease=lease)
        self._database = database
        self._clock = clock
        self._lease = lease
        self._told_again_after = told_again_after

    async def due(self, limit: int = TOLD_AT_ONCE) -> list[int]:
        """Return batches to tell the workers of: those that nobody has in hand, of campaigns that go out now.

        No more than ``limit`` are told of and not yet taken at any time, so that the stream stays short.
        """
        now = self._clock.now()
        free = (
            select(CampaignBatch, Campaign)
            .join(Campaign, Campaign.id == CampaignBatch.campaign_id)
            .where(Campaign.state == CampaignState.SENDING.value, _is_free(now), _has_what_it_sends())
            .order_by(CampaignBatch.id)
        )
        untold = or_(CampaignBatch.told_at.is_(None), CampaignBatch.told_at <= now - self._told_again_after)
        async with self._database.reading() as session:
            if (await session.scalars(free.where(untold).limit(1))).first() is None:
                return []
        async with self._database.transaction() as session:
            told = await session.scalar(
                select(func.count()).select_from(free.where(~untold).with_only_columns(CampaignBatch.id).subquery())
            )
            wanted = free.where(untold).limit(max(0, limit - (told or 0)))
            rows = await session.execute(wanted.with_for_update(of=CampaignBatch, skip_locked=True))
            due = [batch for batch, campaign in rows if hours_of(campaign).is_open(now)]
            for batch in due:
                batch.told_at = now
            return [batch.id for batch in due]

    async def claim(self, batch_id: int) -> Hold | None:
        """Take a batch; ``None`` when it is not to be sent now, or somebody has it."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            wanted = select(CampaignBatch).where(CampaignBatch.id == batch_id, _is_free(now))
            row = (await session.scalars(wanted.with_for_update(skip_locked=True))).one_or_none()
            if row is None:
                return None
            campaign = await session.get_one(Campaign, row.campaign_id)
            if campaign.state != CampaignState.SENDING.value or not hours_of(campaign).is_open(now):
                return None
            channel = SendChannel(campaign.channel)
            publication = await publication_of(session, campaign.id) if channel.publishes else None
            if publication is not None and publication.state != PublicationState.PUBLISHED.value:
                return None
            if row.first_tried_at is None:
                row.first_tried_at = now
                if not await self._still_wanted(session, row, channel):
                    return None
            elif channel.is_mass and row.first_tried_at < now - CLIENT_ID_LIFE:
                await self._end(session, row, BatchState.UNKNOWN, Outcome.UNKNOWN)
                return None
            row.state, row.fence, row.attempts = BatchState.SENDING.value, row.fence + 1, row.attempts + 1
            row.lease_until, row.not_before, row.told_at = now + self._lease, None, None
            return _hold(row, campaign, channel, None if publication is None else publication.article_id)

    async def _still_wanted(self, session: AsyncSession, row: CampaignBatch, channel: SendChannel) -> bool:
        """Leave out who opted out or left since the start; afterwards the batch never changes again."""
        if channel in (SendChannel.MASS_ALL, SendChannel.MASS_TAG):
            return True
        whom = Recipient.openid
        gone = exists().where(OptOut.openid == whom, OptOut.lifted_at.is_(None))
        left = exists().where(Follower.openid == whom, Follower.subscribed.is_(False))
        queued = in_batch(row), Recipient.outcome == Outcome.QUEUED.value
        # By the follower's key: a list of all who left would be made anew for each batch.
        reasons = [(gone, "opted_out"), (left, "not_following")]
        if channel is SendChannel.PUBLISH_SEND:
            # The platform may have taken its time to look at the articles.
            before = self._clock.now() - WINDOW
            closed = exists().where(Follower.openid == whom, Follower.last_seen_at < before)
            reasons.append((closed, WINDOW_CLOSED))
        for is_out, reason in reasons:
            skipped = update(Recipient).where(*queued, is_out)
            await session.execute(skipped.values(outcome=Outcome.SKIPPED.value, reason=reason))
        await recount(session, row)
        if channel is SendChannel.MASS_LIST and 0 < row.queued < MASS_LIST_MIN:
            skipped = update(Recipient).where(*queued)
            await session.execute(skipped.values(outcome=Outcome.SKIPPED.value, reason="too_few"))
            await recount(session, row)
        if not row.queued:
            row.state, row.submitted_at = BatchState.FINISHED.value, self._clock.now()
        return row.queued > 0

    async def openids(self, hold: Hold) -> list[str]:
        """Return whom a mass batch goes to; the same each time."""
        wanted = select(Recipient.openid).where(
            Recipient.campaign_id == hold.campaign_id,
            Recipient.chunk == hold.chunk,
            Recipient.outcome == Outcome.QUEUED.value,
        )
        async with self._database.reading() as session:
            return list(await session.scalars(wanted.order_by(Recipient.openid)))

    # What became of a mass batch --------------------------------------------------------------------------------

    async def keep_media(self, hold: Hold, media_id: str) -> bool:
        """Note the draft of a batch before it is sent; ``False`` when the batch is somebody else's by now."""
        async with self._database.transaction() as session:
            # Also when nobody sends it: what is noted is cleared away.
            session.add(draft_note(media_id, hold.campaign_id, self._clock))
            row = await held(session, hold)
            if row is not None:
                row.media_id = media_id
            return row is not None

    async def submitted(self, hold: Hold, msg_id: int | None) -> None:
        """Write that the platform took a mass batch. Right whoever has it now: all attempts are one sending."""
        async with self._database.transaction() as session:
            row = await locked(session, hold.batch_id)
            if row.state not in OPEN_BATCHES:
                return
            await _move(session, row, (Outcome.QUEUED,), Outcome.SUBMITTED, self._clock.now())
            row.state, row.msg_id, row.submitted_at = BatchState.SUBMITTED.value, msg_id, self._clock.now()
            row.lease_until = None

    async def failed(self, hold: Hold, code: int) -> None:
        """Write that the platform refused a batch for what it is."""
        await self._finish(hold, BatchState.FAILED, Outcome.FAILED, code)

    async def unknown(self, hold: Hold) -> None:
        """Write that nobody can say whether a batch was sent; it is never repeated."""
        await self._finish(hold, BatchState.UNKNOWN, Outcome.UNKNOWN, None)

    async def later(self, hold: Hold, delay: timedelta, *, may_have_arrived: bool = False) -> None:
        """Put a batch back until ``delay`` is over.

        One that may have arrived, in this attempt or an earlier one, stays marked as being sent: cancelling the
        campaign must not call it unsent.
        """
        async with self._database.transaction() as session:
            row = await held(session, hold)
            if row is None:
                return
            again_at = self._clock.now() + delay
            if hold.channel.is_mass and (may_have_arrived or hold.attempts > 1):
                row.lease_until = again_at
            else:
                row.state, row.lease_until, row.not_before = BatchState.WAITING.value, None, again_at

    async def _finish(self, hold: Hold, state: BatchState, outcome: Outcome, code: int | None) -> None:
        async with self._database.transaction() as session:
            row = await held(session, hold)
            if row is not None:
                await self._end(session, row, state, outcome, code)

    async def _end(
        self, session: AsyncSession, row: CampaignBatch, state: BatchState, outcome: Outcome, code: int | None = None
    ) -> None:
        await _move(session, row, (Outcome.QUEUED, Outcome.SUBMITTING), outcome, self._clock.now(), code)
        row.state, row.code, row.lease_until, row.submitted_at = state.value, code, None, self._clock.now()


async def _move(
    session: AsyncSession,
    row: CampaignBatch,
    sources: Sequence[Outcome],
    target: Outcome,
    now: datetime,
    code: int | None = None,
) -> None:
    names = [source.value for source in sources]
    moved = update(Recipient).where(in_batch(row), Recipient.outcome.in_(names))
    await session.execute(moved.values(outcome=target.value, at=now, code=code))
    await recount(session, row)


def _is_free(now: datetime) -> ColumnElement[bool]:
    return or_(
        and_(
            CampaignBatch.state == BatchState.WAITING.value,
            or_(CampaignBatch.not_before.is_(None), CampaignBatch.not_before <= now),
        ),
        and_(CampaignBatch.state == BatchState.SENDING.value, CampaignBatch.lease_until <= now),
    )


def _has_what_it_sends() -> ColumnElement[bool]:
    return or_(Campaign.channel != SendChannel.PUBLISH_SEND.value, is_published(Campaign.id))


def _hold(row: CampaignBatch, campaign: Campaign, channel: SendChannel, article_id: str | None) -> Hold:
    return Hold(
        batch_id=row.id,
        campaign_id=row.campaign_id,
        chunk=row.chunk,
        client_id=row.client_id,
        fence=row.fence,
        attempts=row.attempts,
        channel=channel,
        content=contents.from_json(campaign.content),
        per_minute=campaign.per_minute,
        tag_id=campaign.tag_id,
        media_id=row.media_id,
        article_id=article_id,
    )
