"""Pictures of campaigns: kept privately when staff choose them, handed to the platform when they are first needed."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final, Protocol

from sqlalchemy import select, update

from bot.campaigns.content import Content, News, Picture
from bot.campaigns.office_models import CampaignPicture
from bot.storage.files import FileMissing, FileRefused, PrivateFiles, ReadFile
from bot.storage.pictures import media_type_of
from bot.storage.sql import Database
from bot.values.clock import Clock

PURPOSE: Final = "campaign"


class Materials(Protocol):
    """Stores pictures at the platform for good."""

    async def add_picture(self, data: bytes, filename: str) -> str:
        """Return the media id; raises ApiCallFailed."""
        ...


class CampaignPictures:
    """Pictures by the ids of their private files; an id of any other file is none of ours."""

    def __init__(self, database: Database, files: PrivateFiles, clock: Clock) -> None:
        self._database = database
        self._files = files
        self._clock = clock

    async def add(self, data: bytes, *, by: str) -> str:
        """Keep a JPEG or PNG and return its id; raises FileRefused for anything else."""
        if media_type_of(data) == "application/pdf":
            raise FileRefused(reason="type")
        stored = await self._files.save(data, owner=by, purpose=PURPOSE)
        now = self._clock.now()
        async with self._database.transaction() as session:
            session.add(CampaignPicture(file_id=stored.id, added_by=by, added_at=now, used_at=now))
        return stored.id

    async def known(self, file_ids: Collection[str]) -> frozenset[str]:
        """Return those of ``file_ids`` that are pictures of campaigns."""
        there = CampaignPicture.file_id.in_(file_ids), CampaignPicture.leaving_at.is_(None)
        wanted = select(CampaignPicture.file_id).where(*there)
        async with self._database.reading() as session:
            return frozenset(await session.scalars(wanted)) if file_ids else frozenset()

    async def read(self, file_id: str) -> ReadFile:
        """Return a picture; raises FileMissing, also for files of other purposes."""
        if file_id not in await self.known([file_id]):
            raise FileMissing(file_id="unknown")
        return await self._files.read(file_id)

    async def ready(self, content: Content, materials: Materials) -> Content:
        """Return the content with every chosen picture at the platform. Raises FileMissing, ApiCallFailed."""
        match content:
            case Picture(file_id=file_id) if file_id:
                return replace(content, media_id=await self._media_id(file_id, materials))
            case News(articles):
                return News(
                    tuple(
                        [
                            replace(one, thumb_media_id=await self._media_id(one.file_id, materials))
                            if one.file_id
                            else one
                            for one in articles
                        ]
                    )
                )
            case _:
                return content

    async def _media_id(self, file_id: str, materials: Materials) -> str:
        wanted = select(CampaignPicture.media_id).where(CampaignPicture.file_id == file_id)
        async with self._database.reading() as session:
            known = await session.scalar(wanted)
        if known is not None:
            return known
        kept = await self.read(file_id)
        ending = "png" if kept.file.media_type == "image/png" else "jpg"
        # Two workers may both hand it over: a second copy costs nothing and shows to nobody.
        media_id = await materials.add_picture(kept.data, f"picture.{ending}")
        row = update(CampaignPicture).where(CampaignPicture.file_id == file_id)
        async with self._database.transaction() as session:
            await session.execute(row.values(media_id=media_id, uploaded_at=self._clock.now()))
        return media_id
