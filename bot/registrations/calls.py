"""Writes that can be repeated: each call is remembered with its outcome, in the transaction that did it."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

from sqlalchemy import CursorResult, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.errors import SnapshotUnreadable
from bot.programmes.snapshots import from_plain, to_plain
from bot.registrations.models import RememberedCall
from bot.registrations.upserts import insert_or
from bot.storage.sql import Database
from bot.values.clock import Clock

O = TypeVar("O")  # noqa: E741 - O for outcome


class Calls:
    """Does each keyed write once. The keys of different calls (``submit``, ``cancel`` …) do not meet."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def once(
        self, call: str, key: str, kinds: tuple[type[O], ...], work: Callable[[AsyncSession], Awaitable[O]]
    ) -> O:
        """Run ``work`` in one transaction, or return what it returned when ``key`` was used before.

        ``kinds`` are the dataclasses that ``work`` may return. Two calls with one key at the same moment: the second
        waits for the first. When ``work`` raises, nothing is kept and the key is free again. A unique key that says
        no means that somebody else wrote the same thing since we looked; the second attempt sees it.
        """
        try:
            return await self._once(f"{call}:{key}", call, kinds, work)
        except IntegrityError:
            return await self._once(f"{call}:{key}", call, kinds, work)

    async def _once(
        self, stored_key: str, call: str, kinds: tuple[type[O], ...], work: Callable[[AsyncSession], Awaitable[O]]
    ) -> O:
        async with self._database.transaction() as session:
            claimed = await session.execute(
                insert_or(session, RememberedCall)
                .values(key=stored_key, call=call, outcome_kind=None, outcome=None, at=self._clock.now())
                .on_conflict_do_nothing()
            )
            if isinstance(claimed, CursorResult) and claimed.rowcount == 0:
                return await self._recall(session, stored_key, kinds)
            outcome = await work(session)
            await session.execute(
                update(RememberedCall)
                .where(RememberedCall.key == stored_key)
                .values(outcome_kind=type(outcome).__name__, outcome=to_plain(outcome))
            )
            return outcome

    async def _recall(self, session: AsyncSession, stored_key: str, kinds: tuple[type[O], ...]) -> O:
        query = select(RememberedCall.outcome_kind, RememberedCall.outcome).where(RememberedCall.key == stored_key)
        kind_name, outcome = (await session.execute(query)).one()
        for kind in kinds:
            if kind.__name__ == kind_name:
                return from_plain(kind, outcome)
        raise SnapshotUnreadable(kind=str(kind_name))

    async def forget_before(self, moment: datetime) -> int:
        """Drop what was remembered before ``moment`` and return how many; a repeat is only expected within days."""
        async with self._database.transaction() as session:
            dropped = await session.execute(delete(RememberedCall).where(RememberedCall.at < moment))
            return dropped.rowcount if isinstance(dropped, CursorResult) else 0
