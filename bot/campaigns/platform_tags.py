"""The tags of the account at the platform: which there are, who has them, and putting one on an audience.

A mass send by tag reaches whom the platform knows under it. Their OpenIDs are kept as our own tag ``wx:<number>``, so
that the planner counts them and each gets a row.
"""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns.audience import Audience
from bot.campaigns.conditions import condition
from bot.campaigns.errors import NoSuchTag, TagReadTwice
from bot.campaigns.reach import TAG_PREFIX
from bot.campaigns.tag_models import FollowerTag, KnownTag
from bot.followers.models import Follower
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.wechat.tags import TAGGED_AT_ONCE, PlatformTag, TagApi

READ_AT_ONCE = 5_000

Progress = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class TagView:
    """A tag as it was at ``seen_at``. ``followers`` is how many have it, ``pulled`` of how many we know that they do.

    ``pulled_at`` is when those were read, ``None`` if never.
    """

    id: int
    name: str
    followers: int
    pulled: int
    pulled_at: datetime | None
    seen_at: datetime


class PlatformTags:
    """The account's tags. Every change that staff make is in the trail. Raises what the platform answers."""

    def __init__(self, database: Database, clock: Clock, api: TagApi, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._api = api
        self._trail = trail

    async def refresh(self, *, by: str, source: str = "") -> list[TagView]:
        """Ask the platform which tags there are, keep them and return them; a hundred at most."""
        found = await self._api.all()
        async with self._database.transaction() as session:
            gone = KnownTag.id.not_in([one.id for one in found])
            for row in await session.scalars(select(KnownTag).where(gone)):
                kept = (f"{TAG_PREFIX}{row.id}", row.reading or "")
                await session.execute(delete(FollowerTag).where(FollowerTag.tag.in_(kept)))
                await session.delete(row)
            for one in found:
                await _keep(session, one, self._clock.now())
            await self._note(session, "refresh", "", by, source, len(found))
        return await known_tags(self._database)

    async def pull(self, tag_id: int, *, by: str, progress: Progress | None = None, source: str = "") -> int:
        """Read who has a tag, in place of what was known before; return how many they are.

        Raises NoSuchTag, and TagReadTwice where another reading of the same tag has begun meanwhile.
        """
        # Kept under another name until all are there: the database is not held while the platform is asked.
        coming, total = await self._begin(tag_id)
        count = 0
        async for openids in self._api.members(tag_id):
            rows = [{"tag": coming, "openid": one} for one in dict.fromkeys(openids)]
            async with self._database.transaction() as session:
                await session.execute(insert(FollowerTag), rows)
            count += len(rows)
            if progress is not None:
                await progress(count, max(total, count))
        try:
            async with self._database.transaction() as session:
                await self._replace(session, tag_id, coming, count)
                await self._note(session, "pull", str(tag_id), by, source, count)
        except (NoSuchTag, TagReadTwice):
            async with self._database.transaction() as session:
                await session.execute(delete(FollowerTag).where(FollowerTag.tag == coming))
            raise
        return count

    async def put_on(
        self, name: str, audience: Audience, *, by: str, progress: Progress | None = None, source: str = ""
    ) -> TagView:
        """Put the tag ``name``, made where there is none, on everybody of ``audience`` who follows; return it.

        Fifty followers a call. Interrupted, the same call again goes on: who has the tag keeps it.
        """
        known = {one.name: one.id for one in await self._api.all()}
        tag_id = known[name] if name in known else await self._api.create(name)
        following = (Follower.subscribed.is_(True), condition(audience, self._clock.now()))
        async with self._database.reading() as session:
            total = await session.scalar(select(func.count()).select_from(Follower).where(*following)) or 0
        done = 0
        async for openids in self._openids(following):
            await self._api.add(tag_id, openids)
            done += len(openids)
            if progress is not None:
                await progress(done, total)
        await self.refresh(by=by, source=source)
        await self.pull(tag_id, by=by, source=source)
        return next(one for one in await known_tags(self._database) if one.id == tag_id)

    async def _begin(self, tag_id: int) -> tuple[str, int]:
        """Return a name to read a tag under, and how many it will be; what another reading has kept is dropped."""
        coming = f"{TAG_PREFIX}{tag_id}~{secrets.token_hex(4)}"
        async with self._database.transaction() as session:
            row = await self._tag(session, tag_id)
            await session.execute(delete(FollowerTag).where(FollowerTag.tag == row.reading))
            row.reading = coming
            return coming, row.followers

    async def _replace(self, session: AsyncSession, tag_id: int, coming: str, count: int) -> None:
        row = await self._tag(session, tag_id)
        if row.reading != coming:
            raise TagReadTwice(tag_id=tag_id)
        tag = f"{TAG_PREFIX}{tag_id}"
        await session.execute(delete(FollowerTag).where(FollowerTag.tag == tag))
        await session.execute(update(FollowerTag).where(FollowerTag.tag == coming).values(tag=tag))
        row.followers, row.pulled, row.pulled_at, row.reading = count, count, self._clock.now(), None

    @staticmethod
    async def _tag(session: AsyncSession, tag_id: int) -> KnownTag:
        row = await session.get(KnownTag, tag_id, with_for_update=True)
        if row is None:
            raise NoSuchTag(tag_id=tag_id)
        return row

    async def _openids(self, following: tuple[ColumnElement[bool], ...]) -> AsyncIterator[list[str]]:
        after = ""
        while True:
            query = select(Follower.openid).where(*following, Follower.openid > after)
            async with self._database.reading() as session:
                found = list(await session.scalars(query.order_by(Follower.openid).limit(READ_AT_ONCE)))
            if not found:
                return
            for start in range(0, len(found), TAGGED_AT_ONCE):
                yield found[start : start + TAGGED_AT_ONCE]
            after = found[-1]

    async def _note(self, session: AsyncSession, step: str, tag_id: str, by: str, source: str, count: int) -> None:
        record = AuditRecord(by, f"campaigns:tag:{step}", "platform_tag", tag_id, reason=str(count), source=source)
        await self._trail.append(session, record)


async def known_tags(database: Database) -> list[TagView]:
    """Return the tags as they were last seen, by name, without asking the platform."""
    async with database.reading() as session:
        rows = await session.scalars(select(KnownTag).order_by(KnownTag.name, KnownTag.id))
        return [TagView(row.id, row.name, row.followers, row.pulled, row.pulled_at, row.seen_at) for row in rows]


async def _keep(session: AsyncSession, tag: PlatformTag, now: datetime) -> None:
    row = await session.get(KnownTag, tag.id)
    if row is None:
        session.add(KnownTag(id=tag.id, name=tag.name, followers=tag.followers, seen_at=now))
    else:
        row.name, row.followers, row.seen_at = tag.name, tag.followers, now
