"""The order in which chats are taken up: the one that staff see, and that a follower's place is counted in."""

from typing import Final

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.models import Chat, ChatStatus

WAITING_ORDER: Final = (Chat.lane, Chat.id)
"""Dangers before all others, then the oldest, whatever queue it is in: staff work down one list of them all."""


async def place_in_line(session: AsyncSession, chat: Chat) -> int:
    """Return the place of a chat among those that nobody has claimed, from 1; 0 for one that somebody has."""
    if chat.status != ChatStatus.WAITING:
        return 0
    before = tuple_(*WAITING_ORDER) < tuple_(chat.lane, chat.id)
    ahead = await session.scalar(select(func.count()).where(Chat.status == ChatStatus.WAITING.value, before))
    return (ahead or 0) + 1
