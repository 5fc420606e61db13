"""What reports keep of a follower: on which days they asked about a service, until a report counts them."""

from sqlalchemy import delete, select

from bot.reports.models import Asker
from bot.storage.sql import Database


class ReportData:
    """The follower's rights over it. Implements ``PersonalData``; the counts by day hold nobody."""

    subject = "reports"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def export(self, openid: str) -> list[dict[str, str | bool]]:
        """Return the days on which the follower asked, oldest first."""
        query = select(Asker).where(Asker.openid == openid).order_by(Asker.day, Asker.intent)
        async with self._database.reading() as session:
            rows = (await session.scalars(query)).all()
        return [
            {"day": row.day.isoformat(), "asked_about": row.intent, "has_registered": row.has_registered}
            for row in rows
        ]

    async def erase(self, openid: str) -> int:
        """Delete the follower's rows; return how many. They drop out of the conversions of those days."""
        async with self._database.transaction() as session:
            result = await session.execute(delete(Asker).where(Asker.openid == openid))
        return int(getattr(result, "rowcount", 0))
