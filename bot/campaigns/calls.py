"""What staff do with the platform at once: a preview to named testers, and taking back what was sent."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from bot.campaigns.content import Menu, News, Picture, Subscribe, Template, Text, filled_fields
from bot.campaigns.errors import CannotBeDeleted, ContentRefused
from bot.campaigns.models import CampaignBatch
from bot.campaigns.sending import customer_message, drafts_of
from bot.campaigns.service import CampaignService
from bot.campaigns.views import CampaignView
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.wechat.client import WeChatApi
from bot.wechat.errors import ApiCallFailed
from bot.wechat.mass import MassApi, MassImage, MassNews, MassText

PREVIEWS_MAX = 10
SAMPLE_VALUES = {"区县": "碧江", "类别": "职工"}
"""What stands for the recipient in a preview."""


@dataclass(frozen=True, slots=True)
class Previewed:
    """How many testers got the preview, and the codes of the errors of the others."""

    sent: int
    refused: tuple[str, ...]


class CampaignCalls:
    """Calls the platform for staff; each is in the trail."""

    def __init__(
        self, database: Database, service: CampaignService, mass: MassApi, api: WeChatApi, *, trail: AuditWriter
    ) -> None:
        self._database = database
        self._service = service
        self._mass = mass
        self._api = api
        self._trail = trail

    async def preview(self, campaign_id: int, openids: Sequence[str], *, by: str, source: str = "") -> Previewed:
        """Send the message to up to ten named testers; nobody else gets anything."""
        campaign = await self._service.get(campaign_id)
        refused: list[str] = []
        chosen = list(dict.fromkeys(openids))[:PREVIEWS_MAX]
        media_id = await self._mass.add_draft(drafts_of(campaign.content)) if _is_news(campaign) and chosen else ""
        for openid in chosen:
            try:
                await self._preview(campaign, openid, media_id)
            except ApiCallFailed as error:
                refused.append(error.code)
        sent = len(chosen) - len(refused)
        await self._note("preview", campaign_id, by, source, str(sent))
        return Previewed(sent, tuple(refused))

    async def take_back(self, campaign_id: int, *, by: str, source: str = "") -> int:
        """Delete the articles of what was sent and return how many sends that were.

        The cards stay in the chats, what they lead to is gone. Raises CannotBeDeleted for anything but articles, and
        what the platform answers.
        """
        campaign = await self._service.get(campaign_id)
        sends = select(CampaignBatch.msg_id).where(
            CampaignBatch.campaign_id == campaign_id, CampaignBatch.msg_id.is_not(None)
        )
        async with self._database.reading() as session:
            numbers = [number for number in await session.scalars(sends) if number is not None]
        if not _is_news(campaign) or not numbers:
            raise CannotBeDeleted(campaign_id=campaign_id)
        await self._note("delete", campaign_id, by, source, str(len(numbers)))
        for number in numbers:
            await self._mass.delete(number)
        return len(numbers)

    async def _preview(self, campaign: CampaignView, openid: str, media_id: str) -> None:
        match campaign.content:
            case Template(template_id, fields, url):
                data = filled_fields(fields, SAMPLE_VALUES)
                await self._api.send_template(openid, template_id, data, url or None)
            case Subscribe(template_id, fields, page):
                data = filled_fields(fields, SAMPLE_VALUES)
                await self._api.send_subscribe(openid, template_id, data, page or None)
            case News():
                await self._mass.preview(openid, MassNews(media_id))
            case Text() | Picture() | Menu() as content if not campaign.channel.is_mass:
                await self._api.send_customer_message(openid, customer_message(content, SAMPLE_VALUES))
            case Text(text):
                await self._mass.preview(openid, MassText(text))
            case Picture(picture_id):
                await self._mass.preview(openid, MassImage(picture_id))
            case Menu():
                raise ContentRefused(problem="campaign.content_not_for_channel", part=campaign.channel.value)

    async def _note(self, step: str, campaign_id: int, by: str, source: str, reason: str) -> None:
        await self._trail.record(
            AuditRecord(by, f"campaigns:campaign:{step}", "campaign", str(campaign_id), reason=reason, source=source)
        )


def _is_news(campaign: CampaignView) -> bool:
    return isinstance(campaign.content, News)
