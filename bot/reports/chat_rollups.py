"""Keeps the counts of chats by day: what happened with them is counted on the day on which it happened."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import SQLColumnExpression, delete, func, literal, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.models import Chat, ChatStatus
from bot.reports.models import ChatDay, ChatMeasure, CountedUntil, Period
from bot.reports.rules import rounded_minutes
from bot.storage.sql import Database
from bot.storage.sql_time import local_day, minutes_between
from bot.values.clock import Clock

WHAT: Final = "chats"
DAYS_AT_ONCE: Final = 31
STILL_COMING: Final = timedelta(days=1)
"""How long after a day its last chats may still be on their way into the table."""

Happened: TypeAlias = SQLColumnExpression[datetime] | SQLColumnExpression[datetime | None]
Value: TypeAlias = SQLColumnExpression[int] | SQLColumnExpression[int | None]

_MEASURES: Final[Mapping[ChatMeasure, tuple[Happened, Value]]] = {
    ChatMeasure.OPENED: (Chat.opened_at, literal(0)),
    ChatMeasure.FIRST_ANSWER: (Chat.first_answer_at, minutes_between(Chat.opened_at, Chat.first_answer_at)),
    ChatMeasure.RESOLUTION: (Chat.closed_at, minutes_between(Chat.opened_at, Chat.closed_at)),
    ChatMeasure.RATING: (Chat.rated_at, Chat.satisfaction),
}
"""When each of them happened, and its value."""


class ChatRollups:
    """Counts some days at a time. A day is replaced as a whole, so that counting it again changes nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def renew(self) -> int:
        """Count from the day up to which it was counted, and the day before, until today.

        Returns how many days are left, so that the worker goes on at once only when there is a backlog.
        """
        today = self._clock.now().date()
        async with self._database.transaction() as session:
            counted = await self._counted_until(session, today)
            first = counted.day - STILL_COMING
            last = min(today, first + timedelta(days=DAYS_AT_ONCE))
            # A chat that was opened again takes back its end, which may have been all that a day had.
            await session.execute(delete(ChatDay).where(ChatDay.day.between(first, last)))
            await _recount(session, Period(first, last))
            counted.day = max(counted.day, last)
        return (today - last).days

    async def rebuild(self, period: Period) -> None:
        """Count every day of ``period`` again; days whose chats are gone keep the counts that they have."""
        first = period.first
        while first <= period.last:
            last = min(period.last, first + timedelta(days=DAYS_AT_ONCE))
            async with self._database.transaction() as session:
                await self._counted_until(session, self._clock.now().date())
                await _recount(session, Period(first, last))
            first = last + timedelta(days=1)

    async def _counted_until(self, session: AsyncSession, today: date) -> CountedUntil:
        """Return up to when it was counted, locked, so that workers count one after the other."""
        counted = await session.get(CountedUntil, WHAT, with_for_update=True)
        if counted is not None:
            return counted
        begin = await session.scalar(select(func.min(Chat.opened_at)))
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        row = {"what": WHAT, "day": today if begin is None else begin.date()}
        await session.execute(insert(CountedUntil).values(row).on_conflict_do_nothing())
        return await session.get_one(CountedUntil, WHAT, with_for_update=True)


async def _recount(session: AsyncSession, period: Period) -> None:
    counts: Counter[tuple[date, str, ChatMeasure, int]] = Counter()
    for measure, (happened, value) in _MEASURES.items():
        day = local_day(happened)
        by = (day, Chat.county, value)
        over = (Chat.status == ChatStatus.CLOSED.value,) if measure is ChatMeasure.RESOLUTION else ()
        query = (
            select(*by, func.count())
            .where(*over, happened >= period.begin, happened < period.end, value.is_not(None))
            .group_by(*by)
        )
        is_time = measure in (ChatMeasure.FIRST_ANSWER, ChatMeasure.RESOLUTION)
        for on, county, found, chats in await session.execute(query):
            assert found is not None
            counts[on, county or "", measure, rounded_minutes(found) if is_time else found] += chats
    await session.execute(delete(ChatDay).where(ChatDay.day.in_({on for on, *_ in counts})))
    session.add_all(
        ChatDay(day=on, county=county, measure=measure.value, value=value, chats=chats)
        for (on, county, measure, value), chats in counts.items()
    )
