"""Followers by the thousand, and drafts of campaigns to send them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from bot.campaigns.audience import Audience, Everyone
from bot.campaigns.content import Content, Text
from bot.campaigns.drafts import CampaignDraft
from bot.campaigns.models import SendChannel
from bot.campaigns.service import CampaignService
from bot.campaigns.views import CampaignView
from bot.followers.models import Follower
from bot.storage.sql import Database

AUTHOR, APPROVER = "wang", "li"
ROWS_AT_ONCE = 20_000


def openid(number: int) -> str:
    """Return the OpenID of a made follower, shaped like the platform's."""
    return f"oTest{number:023d}"


async def add_followers(database: Database, numbers: Iterable[int], now: datetime, **columns: Any) -> None:
    """Store followers; ``columns`` are the same for all of them."""
    common = {"subscribed": True, "first_seen_at": now, "last_seen_at": now, "followed_at": now, **columns}
    rows = [{"openid": openid(number), "first_scene": "", "latest_scene": "", **common} for number in numbers]
    async with database.transaction() as session:
        for start in range(0, len(rows), ROWS_AT_ONCE):
            await session.execute(insert(Follower), rows[start : start + ROWS_AT_ONCE])


def draft(
    channel: SendChannel = SendChannel.MASS_LIST,
    content: Content | None = None,
    audience: Audience | None = None,
    **fields: Any,
) -> CampaignDraft:
    """Return a draft that can be sent."""
    return CampaignDraft(
        title="六月活动通知",
        channel=channel,
        content=content or Text("职工朋友您好，免费健康筛查开始预约。"),
        audience=audience or Everyone(),
        **fields,
    )


async def approved(service: CampaignService, wanted: CampaignDraft, key: str = "k") -> CampaignView:
    """Return a campaign that a second person has approved."""
    campaign = await service.create(wanted, by=AUTHOR, key=key)
    checked = await service.check(campaign.id, by=AUTHOR, version=campaign.version)
    assert checked.problems == ()
    confirmed = checked.campaign.checked_total or 0
    return await service.approve(campaign.id, by=APPROVER, version=campaign.version, confirmed=confirmed)


async def started(service: CampaignService, wanted: CampaignDraft, key: str = "k") -> CampaignView:
    """Return a campaign whose audience is frozen and that goes out."""
    campaign = await approved(service, wanted, key)
    assert campaign.checked_total is not None
    await service.send(campaign.id, by=AUTHOR, version=campaign.version, confirmed=campaign.checked_total)
    assert campaign.id in await service.start_due()
    return await service.get(campaign.id)
