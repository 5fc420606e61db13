"""Pictures that followers send: what is still with the platform, and how fetching each of them went."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from bot.inbox.journal import tell_screens
from bot.inbox.models import Chat, ChatMessage, MediaState
from bot.storage.sql import Database
from bot.values.clock import Clock

LEASE = timedelta(seconds=120)
"""A worker that took a picture and said nothing for this long is taken for dead."""
BATCH = 10


@dataclass(frozen=True, slots=True)
class WantedPicture:
    """A picture to fetch from the platform, which keeps it until ``until``."""

    message_id: int
    openid: str
    media_ref: str
    until: datetime


class PictureQueue:
    """Pictures by the message that they are. Each is taken by one worker at a time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def take(self, *, limit: int = BATCH) -> list[WantedPicture]:
        """Return pictures to fetch now, oldest first."""
        now = self._clock.now()
        due = or_(
            (ChatMessage.media_state == MediaState.WANTED.value)
            & (ChatMessage.not_before.is_(None) | (ChatMessage.not_before <= now)),
            (ChatMessage.media_state == MediaState.FETCHING.value) & (ChatMessage.taken_at <= now - LEASE),
        )
        wanted = (
            select(ChatMessage, Chat.openid)
            .join(Chat, Chat.id == ChatMessage.chat_id)
            .where(due)
            .order_by(ChatMessage.id)
            .limit(limit)
            .with_for_update(skip_locked=True, of=ChatMessage)
        )
        async with self._database.transaction() as session:
            found = (await session.execute(wanted)).all()
            for row, _ in found:
                row.media_state, row.taken_at = MediaState.FETCHING.value, now
            return [
                WantedPicture(row.id, openid, row.media_ref or "", row.media_until or now) for row, openid in found
            ]

    async def kept(self, message_id: int, file_id: str) -> bool:
        """Note where a picture is kept; False when its message is gone, so that the file has to go as well."""
        return await self._finish(message_id, MediaState.KEPT, file_id=file_id)

    async def lost(self, message_id: int, state: MediaState) -> None:
        """Note that a picture cannot be had: GONE from the platform, or REFUSED because it is none."""
        await self._finish(message_id, state)

    async def postpone(self, message_id: int, until: datetime) -> None:
        """Try again later."""
        await self._finish(message_id, MediaState.WANTED, not_before=until)

    async def _finish(
        self, message_id: int, state: MediaState, *, file_id: str | None = None, not_before: datetime | None = None
    ) -> bool:
        async with self._database.transaction() as session:
            row = await session.get(ChatMessage, message_id, with_for_update=True)
            if row is None or row.media_state != MediaState.FETCHING:
                return False
            row.media_state, row.file_id, row.not_before = state.value, file_id, not_before
            tell_screens(session, await session.get_one(Chat, row.chat_id), self._clock)
            return True
