"""Which followers are in a chat with people, as of a moment ago: one query a second however many messages come."""

import asyncio
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy import text as sql

from bot.inbox.models import RUNNING, Chat
from bot.storage.sql import Database
from bot.values.clock import Clock

FRESH_FOR = timedelta(seconds=1)


class RunningChats:
    """Answers from memory, for messages of followers of whom nothing says that they are in a chat.

    Staff can begin a chat or take one up again without the follower's doing, which their dialogue does not know of.
    """

    def __init__(self, database: Database, clock: Clock, *, fresh_for: timedelta = FRESH_FOR) -> None:
        self._database = database
        self._clock = clock
        self._fresh_for = fresh_for
        self._openids: frozenset[str] = frozenset()
        self._read_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def may_have(self, openid: str) -> bool:
        """Say whether this follower was in a chat at most ``fresh_for`` ago."""
        if not self._is_fresh():
            async with self._reading:
                if not self._is_fresh():
                    await self._read()
        return openid in self._openids

    def _is_fresh(self) -> bool:
        return self._read_at is not None and abs(self._clock.now() - self._read_at) < self._fresh_for

    async def _read(self) -> None:
        began_at = self._clock.now()
        async with self._database.reading() as session:
            self._openids = frozenset(await session.scalars(select(Chat.openid).where(sql(RUNNING))))
        self._read_at = began_at
