"""Queues, working hours, days off, reasons and canned replies as rows: their seed file, and reading them back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path

import yaml
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.office_models import CalendarDay, CannedReply, ChatQueue, CloseReason, WorkingHours
from bot.inbox.rules import Stretch, Targets, WorkingCalendar
from bot.storage.sql import Base, Database

CALENDAR_FILE = Path(__file__).with_name("calendar.yml")
SEEDED_BY = "seed"
NO_TARGETS = Targets(first_answer_minutes=30, resolution_minutes=480, around_the_clock=False)
"""For chats of a queue that staff have removed."""


@dataclass(frozen=True, slots=True)
class CalendarSeed:
    """The seed file's rows."""

    queues: tuple[ChatQueue, ...]
    working_hours: tuple[WorkingHours, ...]
    days: tuple[CalendarDay, ...]
    reasons: tuple[CloseReason, ...]
    replies: tuple[Mapping[str, str], ...]


def read_seed(path: Path = CALENDAR_FILE) -> CalendarSeed:
    """Read the seed file; raises KeyError or ValueError when it is not of the form its head describes."""
    data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    hours = [
        WorkingHours(weekday=weekday, opens=_checked(row["opens"]), closes=_checked(row["closes"]))
        for row in data["working_hours"]
        for weekday in row["weekdays"]
    ]
    off = [CalendarDay(day=day, works_as=None, label=row["label"]) for row in data["days_off"] for day in row["days"]]
    worked = [
        CalendarDay(day=row["day"], works_as=row["works_as"], label=row["label"]) for row in data["worked_days"]
    ]
    return CalendarSeed(
        queues=tuple(ChatQueue(ordinal=place, **row) for place, row in enumerate(data["queues"])),
        working_hours=tuple(hours),
        days=(*off, *worked),
        reasons=tuple(CloseReason(ordinal=place, **row) for place, row in enumerate(data["close_reasons"])),
        replies=tuple(data["canned_replies"]),
    )


class CalendarTable:
    """Reads the rows that staff edit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seed(self, seed: CalendarSeed, *, now: datetime) -> None:
        """Fill the tables that are still empty; rows that people made or changed stay as they are."""
        replies = tuple(CannedReply(**row, updated_by=SEEDED_BY, updated_at=now) for row in seed.replies)
        tables: tuple[tuple[type[Base], Sequence[Base]], ...] = (
            (ChatQueue, seed.queues),
            (WorkingHours, seed.working_hours),
            (CalendarDay, seed.days),
            (CloseReason, seed.reasons),
            (CannedReply, replies),
        )
        async with self._database.transaction() as session:
            for table, rows in tables:
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


def targets_of(queue: ChatQueue | None) -> Targets:
    """Return what a queue means to reach."""
    if queue is None:
        return NO_TARGETS
    return Targets(queue.first_answer_minutes, queue.resolution_minutes, queue.around_the_clock)


def _checked(text: str) -> str:
    return f"{time.fromisoformat(text):%H:%M}"
