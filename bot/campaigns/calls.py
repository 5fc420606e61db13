"""What staff do with the platform at once: a preview to named testers, and taking back what was sent."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import or_, select, update

from bot.campaigns.content import Menu, News, Picture, Subscribe, Template, Text, check, filled_fields
from bot.campaigns.errors import CannotBeDeleted, ContentRefused
from bot.campaigns.models import CampaignBatch
from bot.campaigns.office_models import StaffCall
from bot.campaigns.pictures import CampaignPictures
from bot.campaigns.platform_drafts import PlatformDrafts
from bot.campaigns.sending import customer_message, drafts_of
from bot.campaigns.service import CampaignService
from bot.campaigns.staff_calls import CallBook
from bot.campaigns.views import CampaignView
from bot.staff.audit import AuditWriter
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.wechat.client import WeChatApi
from bot.wechat.errors import ApiCallFailed
from bot.wechat.mass import MassApi, MassImage, MassNews, MassStatus, MassText

PREVIEWS_MAX = 10
SAMPLE_VALUES = {"区县": "碧江", "类别": "职工"}
"""What stands for the recipient in a preview."""


@dataclass(frozen=True, slots=True)
class Previewed:
    """How many testers got the preview, and the codes of the errors of the others."""

    sent: int
    refused: tuple[str, ...]


class CampaignCalls:
    """Calls the platform for staff; each is in the trail.

    ``key`` is that of the form: the same one again calls nothing and returns what came of it the first time; it
    raises StillUnderWay while that goes on.
    """

    def __init__(
        self,
        database: Database,
        service: CampaignService,
        mass: MassApi,
        api: WeChatApi,
        clock: Clock,
        *,
        trail: AuditWriter,
        pictures: CampaignPictures | None = None,
    ) -> None:
        self._database = database
        self._service = service
        self._mass = mass
        self._api = api
        self._pictures = pictures
        self._book = CallBook(database, clock, trail)
        self._drafts = PlatformDrafts(database, clock, box=mass)

    async def preview(
        self, campaign_id: int, openids: Sequence[str], *, by: str, key: str = "", source: str = ""
    ) -> Previewed:
        """Send the message to up to ten named testers; nobody else gets anything.

        Raises ContentRefused for what the platform would not take, and ApiCallFailed when it takes nothing at all.
        """
        campaign = await self._service.get(campaign_id)
        if problems := check(campaign.content, campaign.channel):
            raise ContentRefused(problem=problems[0].code, part=str(problems[0].fields.get("part", "")))
        chosen = list(dict.fromkeys(openids))[:PREVIEWS_MAX]
        call = StaffCall(key=key or secrets.token_hex(16), campaign_id=campaign_id, step="preview", by=by)
        if (earlier := await self._book.begun(call)) is not None:
            return Previewed(earlier.done, tuple(earlier.refused))
        try:
            refused = await self._preview_all(campaign, chosen)
        except BaseException:
            await self._book.forget(call)
            raise
        sent = len(chosen) - len(refused)
        await self._book.ended(call, sent, refused, source=source)
        return Previewed(sent, tuple(refused))

    async def take_back(self, campaign_id: int, *, by: str, key: str = "", source: str = "") -> int:
        """Delete the articles of what was sent and return how many sends that were; none when all are gone already.

        The cards stay in the chats, what they lead to is gone. Raises CannotBeDeleted for anything but articles, and
        what the platform answers; what was deleted before that is not deleted again.
        """
        campaign = await self._service.get(campaign_id)
        if not _is_mass_news(campaign) or not campaign.frozen_at:
            raise CannotBeDeleted(campaign_id=campaign_id)
        call = StaffCall(key=key or secrets.token_hex(16), campaign_id=campaign_id, step="delete", by=by)
        if (earlier := await self._book.begun(call)) is not None:
            return earlier.done
        try:
            done = await self._delete_all(campaign_id)
        except BaseException:
            await self._book.forget(call)
            raise
        await self._book.ended(call, done, source=source)
        return done

    async def _preview_all(self, campaign: CampaignView, openids: Sequence[str]) -> list[str]:
        """Return the codes of what was refused."""
        content = campaign.content
        if self._pictures is not None:
            content = await self._pictures.ready(content, self._mass)
        campaign = replace(campaign, content=content)
        if not isinstance(content, News) or not openids:
            return await self._preview_each(campaign, openids, "")
        async with self._drafts.lent(campaign.id, drafts_of(content)) as media_id:
            return await self._preview_each(campaign, openids, media_id)

    async def _preview_each(self, campaign: CampaignView, openids: Sequence[str], media_id: str) -> list[str]:
        refused: list[str] = []
        for openid in openids:
            try:
                await self._preview(campaign, openid, media_id)
            except ApiCallFailed as error:
                refused.append(error.code)
        return refused

    async def _delete_all(self, campaign_id: int) -> int:
        is_there = or_(CampaignBatch.status.is_(None), CampaignBatch.status != MassStatus.DELETED.value)
        sends = select(CampaignBatch.id, CampaignBatch.msg_id).where(
            CampaignBatch.campaign_id == campaign_id, CampaignBatch.msg_id.is_not(None), is_there
        )
        async with self._database.reading() as session:
            found = [(batch_id, number) for batch_id, number in await session.execute(sends) if number is not None]
        for batch_id, number in found:
            await self._mass.delete(number)
            # One by one: after a failure the next try goes on where this one ended.
            row = update(CampaignBatch).where(CampaignBatch.id == batch_id)
            async with self._database.transaction() as session:
                await session.execute(row.values(status=MassStatus.DELETED.value))
        return len(found)

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
            case Picture(media_id=picture_id):
                await self._mass.preview(openid, MassImage(picture_id))
            case Menu():
                raise ContentRefused(problem="campaign.content_not_for_channel", part=campaign.channel.value)


def _is_mass_news(campaign: CampaignView) -> bool:
    return isinstance(campaign.content, News) and campaign.channel.is_mass
