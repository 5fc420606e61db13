"""Keeps the counts of the turn log by day, so that a report need not read the log."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import ProgrammeKind
from bot.registrations.models import Registration
from bot.reports.models import NO_INTENT, Asker, CountedDay, Period, TurnDay, TurnHour
from bot.storage.sql import Database
from bot.storage.sql_time import local_hour
from bot.turns.models import LoggedDay, LoggedTurn
from bot.values.clock import Clock

HOURS: Final = 24
DAYS_AT_ONCE: Final = 31
CONVERTED_WITHIN: Final = timedelta(days=14)
ASKED_ABOUT: Final[Mapping[str, str]] = {
    ProgrammeKind.WORK_STUDY.value: "faq_work_study",
    ProgrammeKind.HEALTH_SCREENING.value: "faq_health_screening",
}
"""By the kind of programme, the intent of questions about it."""
SETTLED_AFTER: Final = timedelta(days=1)
"""How long after an asker's fortnight registrations are still looked for: the worker may have been down."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What the turns of one day come to, with all of its ``writes`` up to that one."""

    writes: int
    days: Counter[tuple[str, str]]
    hours: Counter[tuple[int, str]]
    askers: Sequence[tuple[str, str, datetime]]


class TurnRollups:
    """Counts one day at a time. A day is replaced as a whole, so that counting it again changes nothing."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def renew(self) -> int:
        """Count the days that were written to since they were counted, and see who has registered.

        Returns how many days are likely to be left, so that the worker goes on at once only when there is a backlog.
        """
        stale = (
            select(LoggedDay.day)
            .join(CountedDay, CountedDay.day == LoggedDay.day, isouter=True)
            .where(LoggedDay.writes > func.coalesce(CountedDay.writes, 0))
            .order_by(LoggedDay.day)
            .limit(DAYS_AT_ONCE)
        )
        async with self._database.reading() as session:
            days = list(await session.scalars(stale))
        for day in days:
            await self._recount(day)
        await self._note_registered(Asker.until >= self._clock.now() - SETTLED_AFTER)
        return len(days) if len(days) == DAYS_AT_ONCE else 0

    async def rebuild(self, period: Period) -> int:
        """Count every day of ``period`` from the log; return how many days had turns.

        Days whose turns are no longer in the log keep the counts that they have.
        """
        found = 0
        for day in period.each_day():
            found += await self._recount(day)
        await self._note_registered(Asker.day.between(period.first, period.last))
        return found

    async def _recount(self, day: date) -> bool:
        """Replace the counts of a day; say whether it had turns."""
        async with self._database.reading() as session:
            # Read before the turns: what is written while they are counted makes the day stale again.
            logged = await session.get(LoggedDay, day)
            counts = await _count(session, day, 0 if logged is None else logged.writes)
        await self._replace(day, counts)
        return bool(counts.days)

    async def _replace(self, day: date, counts: Counts) -> None:
        async with self._database.transaction() as session:
            if not await self._may_replace(session, day, counts.writes) or not counts.days:
                return
            for table in (TurnDay, TurnHour, Asker):
                await session.execute(delete(table).where(table.day == day))
            session.add_all(
                TurnDay(day=day, intent=intent, certainty=certainty, turns=turns)
                for (intent, certainty), turns in counts.days.items()
            )
            session.add_all(
                TurnHour(day=day, hour=hour, certainty=certainty, turns=turns)
                for (hour, certainty), turns in counts.hours.items()
            )
            session.add_all(
                Asker(day=day, intent=intent, openid=openid, asked_at=at, until=at + CONVERTED_WITHIN)
                for intent, openid, at in counts.askers
            )
            await session.flush()
            await _note_registered(session, Asker.day == day)

    async def _may_replace(self, session: AsyncSession, day: date, writes: int) -> bool:
        """Take the day's lock and note up to where it is counted; false when another worker has counted further."""
        insert = sqlite_insert if self._database.is_sqlite else postgresql_insert
        await session.execute(insert(CountedDay).values(day=day, writes=0).on_conflict_do_nothing())
        counted = await session.get_one(CountedDay, day, with_for_update=True)
        if counted.writes > writes:
            return False
        counted.writes = writes
        return True

    async def _note_registered(self, which: ColumnElement[bool]) -> None:
        async with self._database.transaction() as session:
            await _note_registered(session, which)


async def _count(session: AsyncSession, day: date, writes: int) -> Counts:
    period = Period(day, day)
    hour = local_hour(LoggedTurn.received_at)
    intent, certainty = func.coalesce(LoggedTurn.intent, NO_INTENT), func.coalesce(LoggedTurn.certainty, "")
    query = (
        select(hour, intent, certainty, func.count())
        .where(LoggedTurn.received_at >= period.begin, LoggedTurn.received_at < period.end)
        .group_by(hour, intent, certainty)
    )
    counts = Counts(writes, Counter(), Counter(), await _askers(session, period))
    for at, name, sure, turns in await session.execute(query):
        counts.days[name, sure] += turns
        counts.hours[at, sure] += turns
    return counts


async def _askers(session: AsyncSession, period: Period) -> list[tuple[str, str, datetime]]:
    query = (
        select(LoggedTurn.intent, LoggedTurn.openid, func.min(LoggedTurn.received_at))
        .where(
            LoggedTurn.intent.in_(ASKED_ABOUT.values()),
            LoggedTurn.received_at >= period.begin,
            LoggedTurn.received_at < period.end,
        )
        .group_by(LoggedTurn.intent, LoggedTurn.openid)
    )
    return [(intent, openid, at) for intent, openid, at in await session.execute(query) if intent is not None]


async def _note_registered(session: AsyncSession, which: ColumnElement[bool]) -> None:
    for kind, intent in ASKED_ABOUT.items():
        has_followed = exists().where(
            Registration.openid == Asker.openid,
            Registration.kind == kind,
            Registration.created_at >= Asker.asked_at,
            Registration.created_at <= Asker.until,
        )
        await session.execute(
            update(Asker)
            .where(Asker.intent == intent, Asker.has_registered.is_(False), which, has_followed)
            .values(has_registered=True)
            .execution_options(synchronize_session=False)
        )
