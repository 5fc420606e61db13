"""Queues, working hours and days off as rows: their seed file, and reading them back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path

import yaml
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.models import CalendarDay, ChatQueue, WorkingHours
from bot.inbox.rules import Stretch, WorkingCalendar
from bot.storage.sql import Database

CALENDAR_FILE = Path(__file__).with_name("calendar.yml")


@dataclass(frozen=True, slots=True)
class CalendarSeed:
    """The seed file's rows."""

    queues: tuple[ChatQueue, ...]
    working_hours: tuple[WorkingHours, ...]
    days: tuple[CalendarDay, ...]


def read_seed(path: Path = CALENDAR_FILE) -> CalendarSeed:
    """Read the seed file; raises KeyError or ValueError when it is not of the form its head describes."""
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    hours = [
        WorkingHours(weekday=weekday, opens=_checked(row["opens"]), closes=_checked(row["closes"]))
        for row in data["working_hours"]
        for weekday in row["weekdays"]
    ]
    off = [CalendarDay(day=day, works_as=None, label=row["label"]) for row in data["days_off"] for day in row["days"]]
    worked = [
        CalendarDay(day=row["day"], works_as=row["works_as"], label=row["label"]) for row in data["worked_days"]
    ]
    return CalendarSeed(tuple(ChatQueue(**row) for row in data["queues"]), tuple(hours), (*off, *worked))


class CalendarTable:
    """Reads the rows that staff edit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seed(self, seed: CalendarSeed) -> None:
        """Fill the tables that are still empty; rows that people made or changed stay as they are."""
        async with self._database.transaction() as session:
            filled: Mapping[type[ChatQueue | WorkingHours | CalendarDay], tuple[object, ...]] = {
                ChatQueue: seed.queues,
                WorkingHours: seed.working_hours,
                CalendarDay: seed.days,
            }
            for table, rows in filled.items():
                if not await session.scalar(select(func.count()).select_from(table)):
                    session.add_all(rows)

    async def calendar(self) -> WorkingCalendar:
        """Return the hours and days off as they are now."""
        async with self._database.reading() as session:
            return await read_calendar(session)


async def read_calendar(session: AsyncSession) -> WorkingCalendar:
    """Return the hours and days off inside the caller's transaction."""
    weekdays: dict[int, list[Stretch]] = {}
    for row in await session.scalars(select(WorkingHours).order_by(WorkingHours.weekday, WorkingHours.opens)):
        stretch = Stretch(time.fromisoformat(row.opens), time.fromisoformat(row.closes))
        weekdays.setdefault(row.weekday, []).append(stretch)
    days: dict[date, int | None] = {row.day: row.works_as for row in await session.scalars(select(CalendarDay))}
    return WorkingCalendar(weekdays, days)


def _checked(text: str) -> str:
    return f"{time.fromisoformat(text):%H:%M}"
