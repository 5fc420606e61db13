"""What staff are called, for every page that says who did something."""

from collections.abc import Mapping

from sqlalchemy import select

from bot.staff.models import StaffAccount
from bot.storage.sql import Database


class StaffNames:
    """Reads the display names of all accounts, those too that are switched off."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self) -> Mapping[str, str]:
        """Return what everybody is called, by username, in one query."""
        async with self._database.reading() as session:
            found = await session.execute(select(StaffAccount.username, StaffAccount.display_name))
            return dict(found.all())
