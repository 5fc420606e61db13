"""Chats lose their words some time after they ended; that they were, and how long they took, stays."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy import text as sql

from bot.inbox.models import HOLDS_WORDS, Chat, ChatMessage, MessageKind
from bot.storage.sql import Database
from bot.values.clock import Clock

BATCH = 50
RemoveFile = Callable[[str], Awaitable[None]]


class ChatRetention:
    """Deletes messages, notes and pictures of old chats; the lines of their steps stay."""

    def __init__(self, database: Database, clock: Clock, *, remove_file: RemoveFile) -> None:
        self._database = database
        self._clock = clock
        self._remove_file = remove_file

    async def purge(self, days: int) -> int:
        """Take the words from a batch of chats that were closed more than ``days`` days ago; return how many."""
        before = self._clock.now() - timedelta(days=days)
        old = select(Chat).where(sql(HOLDS_WORDS), Chat.closed_at < before).order_by(Chat.closed_at).limit(BATCH)
        async with self._database.transaction() as session:
            chats = list(await session.scalars(old.with_for_update(skip_locked=True)))
            gone = await session.execute(
                delete(ChatMessage)
                .where(
                    ChatMessage.chat_id.in_([chat.id for chat in chats]), ChatMessage.kind != MessageKind.STEP.value
                )
                .returning(ChatMessage.file_id)
            )
            files = [file_id for file_id in gone.scalars() if file_id]
            for chat in chats:
                chat.summary_sealed = chat.last_message_id = None
            # Inside the transaction: when a file cannot be removed, the rows that point to it come back as well.
            for file_id in files:
                await self._remove_file(file_id)
        return len(chats)
