"""Recipients that are queued once more, no more, or of which it is too late to ask: in the caller's transaction."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.freezing import add_batches
from bot.campaigns.models import BatchState, Campaign, CampaignBatch, Outcome, Recipient, SendChannel
from bot.campaigns.rules import CLIENT_ID_LIFE, batch_max, chunk_size


async def requeue(session: AsyncSession, row: Campaign) -> int:
    """Put those who failed into new batches with new ids; return how many they are."""
    failed = Recipient.campaign_id == row.id, Recipient.outcome == Outcome.FAILED.value
    count = await session.scalar(select(func.count()).select_from(Recipient).where(*failed)) or 0
    if not count:
        return 0
    last = await session.scalar(select(func.max(CampaignBatch.chunk)).where(CampaignBatch.campaign_id == row.id))
    channel = SendChannel(row.channel)
    size = chunk_size(count, batch_max(channel, count))
    place = func.row_number().over(order_by=Recipient.openid)
    numbered = select(Recipient.openid, place.label("place")).where(*failed).subquery()
    await session.execute(
        update(CampaignBatch)
        .where(CampaignBatch.campaign_id == row.id, CampaignBatch.failed > 0)
        .values(failed=0, size=CampaignBatch.size - CampaignBatch.failed)
    )
    # Range by range along the primary key: a join of the rows with their own numbers is quadratic where the planner
    # has no statistics of them yet.
    ends = await session.scalars(
        select(numbered.c.openid).where(numbered.c.place % size == 0).order_by(numbered.c.place)
    )
    after = ""
    for chunk, end in enumerate([*ends, None], start=(last or 0) + 1):
        until = () if end is None else (Recipient.openid <= end,)
        await session.execute(
            update(Recipient)
            .where(*failed, Recipient.openid > after, *until)
            .values(outcome="queued", chunk=chunk, code=None, reason=None, msg_id=None)
            .execution_options(synchronize_session=False)
        )
        after = end or after
    await add_batches(session, row.id, after_chunk=last or 0)
    return count


async def drop_waiting(session: AsyncSession, campaign_id: int) -> None:
    """Cancel what nobody has in hand yet."""
    waiting = CampaignBatch.campaign_id == campaign_id, CampaignBatch.state == BatchState.WAITING.value
    chunks = select(CampaignBatch.chunk).where(*waiting)
    queued = Recipient.campaign_id == campaign_id, Recipient.outcome == Outcome.QUEUED.value
    await session.execute(update(Recipient).where(*queued, Recipient.chunk.in_(chunks)).values(outcome="cancelled"))
    moved = {"state": "cancelled", "cancelled": CampaignBatch.queued, "queued": 0}
    await session.execute(update(CampaignBatch).where(*waiting).values(moved))


async def forget_old_ids(session: AsyncSession, row: Campaign, now: datetime) -> None:
    """Call unknown what was tried so long ago that the platform would not know its id again."""
    old = (
        CampaignBatch.campaign_id == row.id,
        CampaignBatch.state == BatchState.SENDING.value,
        CampaignBatch.first_tried_at < now - CLIENT_ID_LIFE,
    )
    chunks = select(CampaignBatch.chunk).where(*old)
    queued = Recipient.campaign_id == row.id, Recipient.outcome == Outcome.QUEUED.value
    if SendChannel(row.channel).is_mass:
        await session.execute(update(Recipient).where(*queued, Recipient.chunk.in_(chunks)).values(outcome="unknown"))
        moved = {"state": "unknown", "unknown": CampaignBatch.queued, "queued": 0}
        await session.execute(update(CampaignBatch).where(*old).values(moved))


async def tell_afresh(session: AsyncSession, campaign_id: int) -> None:
    """Let the workers be told of the batches at once, also of those that they were told of before the pause."""
    told = CampaignBatch.campaign_id == campaign_id, CampaignBatch.told_at.is_not(None)
    await session.execute(update(CampaignBatch).where(*told).values(told_at=None))
