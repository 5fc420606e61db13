"""What changed in the running chats: one query a look, however many people watch."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import case, func, select

from bot.inbox.models import Chat, ChatMessage, ChatStatus, DeliveryStatus
from bot.storage.sql import Database

UNSENT = (DeliveryStatus.QUEUED.value, DeliveryStatus.SENDING.value)


@dataclass(frozen=True, slots=True)
class Glance:
    """As much of a running chat as tells that something changed. Nothing sealed is opened for it."""

    status: str
    topic: str
    county: str | None
    claimed_by: str | None
    last_message_id: int
    unsent: int


class ChatFeed:
    """Looks at every chat that waits or is open."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self) -> Mapping[int, Glance]:
        """Return the running chats by id; one that was closed is missing."""
        unsent = func.coalesce(func.sum(case((ChatMessage.delivery_status.in_(UNSENT), 1), else_=0)), 0)
        query = (
            select(
                Chat.id,
                Chat.status,
                Chat.topic,
                Chat.county,
                Chat.claimed_by,
                func.coalesce(func.max(ChatMessage.id), 0),
                unsent,
            )
            .outerjoin(ChatMessage, ChatMessage.chat_id == Chat.id)
            .where(Chat.status != ChatStatus.CLOSED.value)
            .group_by(Chat.id)
        )
        async with self._database.reading() as session:
            return {row[0]: Glance(*row[1:]) for row in await session.execute(query)}


def changed(before: Mapping[int, Glance], after: Mapping[int, Glance]) -> dict[int, Glance]:
    """Return the chats that are new, gone or different, each as it was last seen."""
    return {
        chat_id: after.get(chat_id) or before[chat_id]
        for chat_id in before.keys() | after.keys()
        if before.get(chat_id) != after.get(chat_id)
    }
