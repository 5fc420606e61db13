"""The row of a campaign: read, and changed only where its state and what people confirmed allow it."""

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.errors import CampaignChanged, CountNotConfirmed, NoSuchCampaign, NotInThisState
from bot.campaigns.models import Campaign, CampaignState
from bot.campaigns.rules import may_become
from bot.campaigns.tag_models import KnownTag


async def campaign_row(session: AsyncSession, campaign_id: int, *, lock: bool = False) -> Campaign:
    """Return the row, locked until the transaction ends if ``lock``; raises NoSuchCampaign."""
    wanted = select(Campaign).where(Campaign.id == campaign_id)
    row = (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()
    if row is None:
        raise NoSuchCampaign(campaign_id=campaign_id)
    return row


async def name_tag(session: AsyncSession, row: Campaign) -> None:
    """Keep the tag's name beside its number: at the platform it may be renamed or gone when somebody looks."""
    if row.tag_id is not None and not row.tag_name:
        row.tag_name = await session.scalar(select(KnownTag.name).where(KnownTag.id == row.tag_id)) or ""


def same_version(row: Campaign, version: int) -> None:
    """Raise CampaignChanged unless the campaign is as it was when it was looked at."""
    if row.version != version:
        raise CampaignChanged(campaign_id=row.id)


def same_count(row: Campaign, confirmed: int) -> None:
    """Raise CountNotConfirmed unless the typed number is what the check found."""
    if row.checked_total is None or row.checked_total != confirmed:
        raise CountNotConfirmed(confirmed=confirmed, count=row.checked_total or 0)


def move(row: Campaign, target: CampaignState, step: str) -> None:
    """Bring a campaign into a state; raises NotInThisState where no way leads from its own."""
    if not may_become(CampaignState(row.state), target):
        raise NotInThisState(state=row.state, step=step)
    row.state = target.value
