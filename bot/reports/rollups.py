"""Keeps the counts of the turn log by day, so that a report need not read the log."""

from datetime import date, datetime, time, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.reports.models import NO_INTENT, TurnDay, TurnHour
from bot.storage.sql import Database
from bot.turns.models import LoggedTurn
from bot.values.clock import LOCAL_ZONE, Clock

HOURS = 24


class TurnRollups:
    """Counts one day at a time. A day is replaced as a whole, so that counting it again changes nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def renew(self) -> int:
        """Count today and yesterday, whose turns may still be on their way. Returns 0, so that the worker rests."""
        today = self._clock.now().date()
        await self.rebuild(today - timedelta(days=1), today)
        return 0

    async def rebuild(self, first: date, last: date) -> int:
        """Count every day from ``first`` to ``last`` from the log; return how many days that were.

        Days whose turns are no longer in the log keep the counts that they have.
        """
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        for day in days:
            async with self._database.transaction() as session:
                await _count(session, day)
        return len(days)


async def _count(session: AsyncSession, day: date) -> None:
    begin = datetime.combine(day, time.min, LOCAL_ZONE)
    intent, certainty = func.coalesce(LoggedTurn.intent, NO_INTENT), func.coalesce(LoggedTurn.certainty, "")
    within = (LoggedTurn.received_at >= begin, LoggedTurn.received_at < begin + timedelta(days=1))
    found = (
        await session.execute(select(intent, certainty, func.count()).where(*within).group_by(intent, certainty))
    ).all()
    if not found:
        return
    await session.execute(delete(TurnDay).where(TurnDay.day == day))
    await session.execute(delete(TurnHour).where(TurnHour.day == day))
    session.add_all(TurnDay(day=day, intent=name, certainty=sure, turns=turns) for name, sure, turns in found)
    for hour in range(HOURS):
        start = begin + timedelta(hours=hour)
        during = (LoggedTurn.received_at >= start, LoggedTurn.received_at < start + timedelta(hours=1))
        turns = await session.scalar(select(func.count()).select_from(LoggedTurn).where(*during)) or 0
        if turns:
            session.add(TurnHour(day=day, hour=hour, turns=turns))
