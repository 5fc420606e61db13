"""What campaigns keep of a follower: what was sent to them, and what they wished."""

from typing import Any

from sqlalchemy import delete, select

from bot.campaigns.automatic_models import Occasion, OpeningWish
from bot.campaigns.models import Campaign, JobReport, OptOut, Recipient
from bot.campaigns.office_models import Tester
from bot.campaigns.tag_models import FollowerTag
from bot.storage.sql import Database

EXPORTED_MAX = 1_000


class CampaignData:
    """The follower's rights over it. Implements ``PersonalData``; counts of campaigns hold nobody."""

    subject = "campaigns"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self, openid: str) -> dict[str, Any]:
        """Return what was sent, the newest first, and the wishes; empty when there is nothing."""
        sent = (
            select(Campaign.title, Recipient.outcome, Recipient.at)
            .join(Campaign, Campaign.id == Recipient.campaign_id)
            .where(Recipient.openid == openid, Recipient.campaign_id.in_(select(Campaign.id)))
            .order_by(Recipient.campaign_id.desc())
            .limit(EXPORTED_MAX)
        )
        async with self._database.reading() as session:
            rows = [
                {"title": title, "outcome": outcome, "at": at.isoformat() if at else None}
                for title, outcome, at in await session.execute(sent)
            ]
            opted_out = [
                {"at": row.at.isoformat(), "until": row.lifted_at.isoformat() if row.lifted_at else None}
                for row in await session.scalars(select(OptOut).where(OptOut.openid == openid))
            ]
            wishes = list(await session.scalars(select(OpeningWish.programme_id).where(OpeningWish.openid == openid)))
            tags = list(await session.scalars(select(FollowerTag.tag).where(FollowerTag.openid == openid)))
            names = list(await session.scalars(select(Tester.name).where(Tester.openid == openid)))
        found = {"sent": rows, "opted_out": opted_out, "opening_reminders": wishes, "tags": tags, "tester": names}
        return {name: value for name, value in found.items() if value}

    async def erase(self, openid: str) -> int:
        """Delete the follower's rows; return how many. Batches keep their counts."""
        # Through the campaigns, because the table's key begins with those.
        sent = delete(Recipient).where(Recipient.openid == openid, Recipient.campaign_id.in_(select(Campaign.id)))
        others = (OptOut, OpeningWish, FollowerTag, Occasion, JobReport, Tester)
        async with self._database.transaction() as session:
            results = [await session.execute(sent)]
            results += [await session.execute(delete(table).where(table.openid == openid)) for table in others]
        return sum(int(getattr(result, "rowcount", 0)) for result in results)
