"""退订 and 恢复订阅: who wants no campaigns, and who asked to be told of an opening."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select, update
from sqlalchemy import insert as add
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from bot.campaigns.automatic_models import OpeningWish
from bot.campaigns.models import OptOut
from bot.campaigns.tag_models import FollowerTag
from bot.storage.sql import Database
from bot.values.clock import Clock


class OptOuts:
    """Followers' own wishes about campaigns, and the tags that staff give them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def opt_out(self, openid: str, *, source: str) -> bool:
        """Send this follower no more campaigns; say whether that is new."""
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        row = {"openid": openid, "source": source, "at": self._clock.now()}
        async with self._database.transaction() as session:
            added = await session.execute(
                insert(OptOut)
                .values(row)
                .on_conflict_do_nothing(index_elements=["openid"], index_where=OptOut.lifted_at.is_(None))
            )
        return bool(getattr(added, "rowcount", 0))

    async def opt_in(self, openid: str) -> bool:
        """Send this follower campaigns again; say whether they had opted out."""
        open_row = OptOut.openid == openid, OptOut.lifted_at.is_(None)
        async with self._database.transaction() as session:
            lifted = await session.execute(update(OptOut).where(*open_row).values(lifted_at=self._clock.now()))
        return bool(getattr(lifted, "rowcount", 0))

    async def has_opted_out(self, openid: str) -> bool:
        """Say whether this follower wants no campaigns."""
        query = select(OptOut.id).where(OptOut.openid == openid, OptOut.lifted_at.is_(None))
        async with self._database.reading() as session:
            return await session.scalar(query) is not None

    async def count(self) -> int:
        """Return how many followers want no campaigns."""
        query = select(func.count()).select_from(OptOut).where(OptOut.lifted_at.is_(None))
        async with self._database.reading() as session:
            return await session.scalar(query) or 0

    async def remind_of_opening(self, openid: str, programme_id: str) -> bool:
        """Tell this follower when the programme opens; say whether that is new."""
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        row = {"openid": openid, "programme_id": programme_id, "asked_at": self._clock.now()}
        async with self._database.transaction() as session:
            added = await session.execute(
                insert(OpeningWish).values(row).on_conflict_do_nothing(index_elements=["programme_id", "openid"])
            )
        return bool(getattr(added, "rowcount", 0))

    async def set_tag(self, tag: str, openids: Sequence[str]) -> None:
        """Give ``tag`` to these followers and to no others."""
        async with self._database.transaction() as session:
            await session.execute(delete(FollowerTag).where(FollowerTag.tag == tag))
            rows = [{"tag": tag, "openid": openid} for openid in dict.fromkeys(openids)]
            for start in range(0, len(rows), 5_000):
                await session.execute(add(FollowerTag), rows[start : start + 5_000])
