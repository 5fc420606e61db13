"""Pictures that no campaign holds any more: deleted after a week, with what the platform keeps of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from datetime import datetime, timedelta
from typing import Final, Protocol

import structlog
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.campaigns import content as contents
from bot.campaigns.content import Content, News, Picture
from bot.campaigns.errors import PictureGone
from bot.campaigns.models import Campaign
from bot.campaigns.office_models import CampaignPicture
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.wechat.errors import ApiCallFailed, InvalidMedia

log = structlog.get_logger(__name__)

KEPT_UNUSED_FOR: Final = timedelta(days=7)
LOOKED_AT_ONCE: Final = 500
CAMPAIGNS_AT_ONCE: Final = 50
"""Eight articles may take 160,000 characters a campaign."""


class MaterialShelf(Protocol):
    """What the platform keeps for good."""

    async def delete_material(self, media_id: str) -> None:
        """Delete a picture; raises ApiCallFailed, InvalidMedia for one that is not there."""
        ...


class UnusedPictures:
    """Looks for them, a few hundred at a time; interrupted, the next run goes on."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        shelf: MaterialShelf,
        remove_file: Callable[[str], Awaitable[None]],
    ) -> None:
        self._database = database
        self._clock = clock
        self._shelf = shelf
        self._remove_file = remove_file

    async def remove(self) -> int:
        """Delete the pictures that no campaign has held for a week; return how many are gone.

        Those that the platform does not let go of are tried again by the next run.
        """
        candidates = await self._candidates()
        if candidates:
            await self._mark(candidates, await self._held(candidates))
        return await self._remove_marked()

    async def _candidates(self) -> dict[str, str | None]:
        """Return the pictures that were not seen in use for a week: their files, and what the platform calls them."""
        unused = select(CampaignPicture.file_id, CampaignPicture.media_id).where(*self._unused())
        async with self._database.reading() as session:
            rows = await session.execute(unused.order_by(CampaignPicture.used_at).limit(LOOKED_AT_ONCE))
            return {row.file_id: row.media_id for row in rows}

    async def _held(self, candidates: dict[str, str | None]) -> set[str]:
        """Return those of ``candidates`` that some campaign holds, by the file or by the number of the material."""
        names = {media_id: file_id for file_id, media_id in candidates.items() if media_id}
        names |= {file_id: file_id for file_id in candidates}
        held: set[str] = set()
        async for content in self._contents():
            held.update(names[name] for one in pictures_in(content) for name in one if name in names)
        return held

    async def _contents(self) -> AsyncIterator[Content]:
        kind, after = Campaign.content["kind"].as_string(), 0
        query = select(Campaign.id, Campaign.content).where(kind.in_(["picture", "news"]))
        while True:
            piece = query.where(Campaign.id > after).order_by(Campaign.id).limit(CAMPAIGNS_AT_ONCE)
            async with self._database.reading() as session:
                rows = [(number, stored) for number, stored in await session.execute(piece)]
            for number, stored in rows:
                yield contents.from_json(stored)
                after = number
            if len(rows) < CAMPAIGNS_AT_ONCE:
                return

    async def _mark(self, candidates: Collection[str], held: Collection[str]) -> None:
        now = self._clock.now()
        seen = update(CampaignPicture).where(CampaignPicture.file_id.in_(held))
        # One that a campaign took meanwhile was used a moment ago, and is left.
        left = update(CampaignPicture).where(
            CampaignPicture.file_id.in_(set(candidates) - set(held)), *self._unused()
        )
        async with self._database.transaction() as session:
            await session.execute(seen.values(used_at=now))
            await session.execute(left.values(leaving_at=now))

    async def _remove_marked(self) -> int:
        marked = select(CampaignPicture.file_id, CampaignPicture.media_id).where(
            CampaignPicture.leaving_at.is_not(None)
        )
        async with self._database.reading() as session:
            rows = [(file_id, media_id) for file_id, media_id in await session.execute(marked.limit(LOOKED_AT_ONCE))]
        for done, (file_id, media_id) in enumerate(rows):
            try:
                await self._leave_the_platform(media_id)
            except ApiCallFailed as error:
                log.warning("unused pictures stay at the platform", left=len(rows) - done, error=error.code)
                return done
            await self._remove_file(file_id)
            async with self._database.transaction() as session:
                await session.execute(delete(CampaignPicture).where(CampaignPicture.file_id == file_id))
        return len(rows)

    async def _leave_the_platform(self, media_id: str | None) -> None:
        if media_id is None:
            return
        try:
            await self._shelf.delete_material(media_id)
        except InvalidMedia:
            log.info("an unused picture was gone from the platform already")

    def _unused(self) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        limit = self._clock.now() - KEPT_UNUSED_FOR
        return CampaignPicture.used_at <= limit, CampaignPicture.leaving_at.is_(None)


def pictures_in(content: Content) -> Iterator[tuple[str, str]]:
    """Give each picture of a content: the id of its file and the number of its material, empty where it has none."""
    match content:
        case Picture(media_id, file_id):
            yield file_id, media_id
        case News(articles):
            yield from ((one.file_id, one.thumb_media_id) for one in articles)
        case _:
            return


async def use_pictures(session: AsyncSession, now: datetime, content: Content, before: Content | None = None) -> None:
    """Note that a campaign holds the pictures of ``content``, and until now held those of ``before``.

    Belongs into the transaction that stores the content. Raises PictureGone for one that is being deleted, or was.
    """
    chosen = {file_id for file_id, _ in pictures_in(content) if file_id}
    held = chosen if before is None else chosen | {file_id for file_id, _ in pictures_in(before) if file_id}
    if not held:
        return
    there = CampaignPicture.file_id.in_(held), CampaignPicture.leaving_at.is_(None)
    used = update(CampaignPicture).where(*there).values(used_at=now).returning(CampaignPicture.file_id)
    if chosen - set(await session.scalars(used)):
        raise PictureGone
