"""A batch in SQL: the row that a worker holds, and the counts of its recipients."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.content import Content
from bot.campaigns.models import BatchState, Campaign, CampaignBatch, Recipient, SendChannel
from bot.campaigns.rules import SendingHours


@dataclass(frozen=True, slots=True)
class Hold:
    """A batch in a worker's hand. ``attempts`` counts this one; ``media_id`` is the draft that was made for it.

    ``article_id`` is what was published, where that is what the recipients get.
    """

    batch_id: int
    campaign_id: int
    chunk: int
    client_id: str
    fence: int
    attempts: int
    channel: SendChannel
    content: Content
    per_minute: int
    tag_id: int | None
    media_id: str | None
    article_id: str | None = None


async def held(session: AsyncSession, hold: Hold) -> CampaignBatch | None:
    """Return the locked row of a batch; ``None`` when it is somebody else's by now."""
    wanted = select(CampaignBatch).where(
        CampaignBatch.id == hold.batch_id,
        CampaignBatch.fence == hold.fence,
        CampaignBatch.state == BatchState.SENDING.value,
    )
    return (await session.scalars(wanted.with_for_update())).one_or_none()


async def locked(session: AsyncSession, batch_id: int) -> CampaignBatch:
    """Return the locked row of a batch, whoever has it."""
    return await session.get_one(CampaignBatch, batch_id, with_for_update=True)


async def recount(session: AsyncSession, row: CampaignBatch) -> None:
    """Count a batch's recipients by outcome into its row, in the caller's transaction."""
    query = select(Recipient.outcome, func.count()).where(in_batch(row)).group_by(Recipient.outcome)
    counts: Mapping[str, int] = {found[0]: found[1] for found in await session.execute(query)}
    row.queued = counts.get("queued", 0)
    row.submitted = counts.get("submitted", 0) + counts.get("submitting", 0)
    row.delivered, row.failed = counts.get("delivered", 0), counts.get("failed", 0)
    row.unknown, row.skipped = counts.get("unknown", 0), counts.get("skipped", 0)
    row.cancelled = counts.get("cancelled", 0)


def in_batch(row: CampaignBatch) -> ColumnElement[bool]:
    """Return the condition for the recipients of a batch."""
    return and_(Recipient.campaign_id == row.campaign_id, Recipient.chunk == row.chunk)


def hours_of(campaign: Campaign) -> SendingHours:
    """Return when a campaign may send."""
    return SendingHours(campaign.open_minute, campaign.close_minute, campaign.weekdays)
