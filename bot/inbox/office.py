"""What administrators set for the inbox: queues with targets, hours, days off, and reasons for ending a chat."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.inbox.errors import NoSuchQueue, NoSuchReason
from bot.inbox.office_models import CalendarDay, ChatQueue, CloseReason, WorkingHours
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.problem import Problem

LABEL_MAX_CHARS = 20
FIRST_ANSWER_MAX_MINUTES, RESOLUTION_MAX_MINUTES = 2_880, 28_800
STRETCHES_MAX = 3
"""How many stretches a weekday has at most: morning, afternoon, evening."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue as staff set it; see ``ChatQueue``."""

    topic: str
    label: str
    usual_answer_minutes: int
    first_answer_minutes: int
    resolution_minutes: int
    around_the_clock: bool
    asks_rating: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a chat can be ended; one that is not offered stays for its old chats."""

    code: str
    label: str
    asks_rating: bool
    is_offered: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """One stretch of a weekday (0 is Monday)."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A day off, or one that is worked like the weekday ``works_as``."""

    day: date
    works_as: int | None
    label: str


class InboxOffice:
    """Reads and changes these rows; every change is written to the trail with it."""

    def __init__(self, database: Database, *, trail: AuditWriter) -> None:
        self._database = database
        self._trail = trail

    async def queues(self) -> list[Queue]:
        """Return the queues in their order."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(ChatQueue).order_by(ChatQueue.ordinal, ChatQueue.topic))
            return [_queue(row) for row in rows]

    async def reasons(self, *, offered: bool = True) -> list[Reason]:
        """Return the reasons in their order; with ``offered`` only those that can be chosen now."""
        wanted = select(CloseReason).order_by(CloseReason.ordinal, CloseReason.code)
        if offered:
            wanted = wanted.where(CloseReason.is_offered.is_(True))
        async with self._database.reading() as session:
            return [
                Reason(row.code, row.label, row.asks_rating, row.is_offered) for row in await session.scalars(wanted)
            ]

    async def hours(self) -> list[Hours]:
        """Return the hours, Monday first."""
        wanted = select(WorkingHours).order_by(WorkingHours.weekday, WorkingHours.opens)
        async with self._database.reading() as session:
            return [
                Hours(row.weekday, time.fromisoformat(row.opens), time.fromisoformat(row.closes))
                for row in await session.scalars(wanted)
            ]

    async def special_days(self, since: date) -> list[SpecialDay]:
        """Return the days that do not follow their weekday, from ``since`` on."""
        wanted = select(CalendarDay).where(CalendarDay.day >= since).order_by(CalendarDay.day)
        async with self._database.reading() as session:
            return [SpecialDay(row.day, row.works_as, row.label) for row in await session.scalars(wanted)]

    async def save_queue(self, queue: Queue, *, by: str, source: str = "") -> Problem | None:
        """Change a queue, or say what is wrong. Chats that run keep their moments. Raises NoSuchQueue."""
        problem = _label_problem(queue.label)
        if problem is not None:
            return problem
        if queue.resolution_minutes < queue.first_answer_minutes:
            return Problem("inbox.targets_crossed")
        async with self._database.transaction() as session:
            row = await session.get(ChatQueue, queue.topic, with_for_update=True)
            if row is None:
                raise NoSuchQueue(topic=queue.topic)
            row.label, row.usual_answer_minutes = queue.label, queue.usual_answer_minutes
            row.first_answer_minutes, row.resolution_minutes = queue.first_answer_minutes, queue.resolution_minutes
            row.around_the_clock, row.asks_rating = queue.around_the_clock, queue.asks_rating
            detail = f"{queue.first_answer_minutes}/{queue.resolution_minutes} min"
            await self._note(session, "queue", queue.topic, detail, by, source)
        return None

    async def save_reason(self, reason: Reason, *, by: str, source: str = "") -> Problem | None:
        """Change a reason, or say what is wrong; raises NoSuchReason."""
        problem = _label_problem(reason.label)
        if problem is not None:
            return problem
        async with self._database.transaction() as session:
            row = await session.get(CloseReason, reason.code, with_for_update=True)
            if row is None:
                raise NoSuchReason(reason=reason.code)
            row.label, row.asks_rating, row.is_offered = reason.label, reason.asks_rating, reason.is_offered
            await self._note(session, "reason", reason.code, reason.label, by, source)
        return None

    async def add_reason(self, label: str, *, asks_rating: bool, by: str, source: str = "") -> Problem | None:
        """Add a reason at the end, or say what is wrong."""
        problem = _label_problem(label)
        if problem is not None:
            return problem
        async with self._database.transaction() as session:
            rows = list(await session.scalars(select(CloseReason).with_for_update()))
            if any(row.label == label for row in rows):
                return Problem("inbox.label_taken", {"label": label})
            place = max((row.ordinal for row in rows), default=-1) + 1
            taken = {row.code for row in rows}
            code = next(f"own_{number}" for number in range(1, len(rows) + 2) if f"own_{number}" not in taken)
            session.add(CloseReason(code=code, label=label, asks_rating=asks_rating, ordinal=place))
            await self._note(session, "reason", code, label, by, source)
        return None

    async def save_hours(
        self, weekday: int, stretches: Sequence[Hours], *, by: str, source: str = ""
    ) -> Problem | None:
        """Replace a weekday's stretches, or say what is wrong with them; none makes it a day off."""
        ordered = sorted(stretches, key=lambda one: one.opens)
        for one in ordered:
            if one.closes <= one.opens:
                return Problem("inbox.hours_backwards", {"opens": f"{one.opens:%H:%M}"})
        for one, following in pairwise(ordered):
            if following.opens < one.closes:
                return Problem("inbox.hours_overlap", {"opens": f"{following.opens:%H:%M}"})
        async with self._database.transaction() as session:
            await session.execute(delete(WorkingHours).where(WorkingHours.weekday == weekday))
            session.add_all(
                WorkingHours(weekday=weekday, opens=f"{one.opens:%H:%M}", closes=f"{one.closes:%H:%M}")
                for one in ordered
            )
            detail = " ".join(f"{one.opens:%H:%M}-{one.closes:%H:%M}" for one in ordered)
            await self._note(session, "hours", str(weekday), detail, by, source)
        return None

    async def set_day(self, special: SpecialDay, *, by: str, source: str = "") -> None:
        """Add or replace a day that does not follow its weekday."""
        async with self._database.transaction() as session:
            row = await session.get(CalendarDay, special.day, with_for_update=True)
            if row is None:
                row = CalendarDay(day=special.day)
                session.add(row)
            row.works_as, row.label = special.works_as, special.label[:LABEL_MAX_CHARS]
            await self._note(session, "day", special.day.isoformat(), special.label, by, source)

    async def drop_day(self, day: date, *, by: str, source: str = "") -> None:
        """Let a day follow its weekday again."""
        async with self._database.transaction() as session:
            row = await session.get(CalendarDay, day, with_for_update=True)
            if row is not None:
                await session.delete(row)
                await self._note(session, "day", day.isoformat(), "", by, source)

    async def _note(
        self, session: AsyncSession, what: str, object_id: str, detail: str, by: str, source: str
    ) -> None:
        record = AuditRecord(by, f"inbox:calendar:{what}", f"chat_{what}", object_id, detail, source)
        await self._trail.append(session, record)


def _label_problem(label: str) -> Problem | None:
    if 1 <= len(label) <= LABEL_MAX_CHARS:
        return None
    return Problem("inbox.label_length", {"max_chars": LABEL_MAX_CHARS})


def _queue(row: ChatQueue) -> Queue:
    return Queue(
        topic=row.topic,
        label=row.label,
        usual_answer_minutes=row.usual_answer_minutes,
        first_answer_minutes=row.first_answer_minutes,
        resolution_minutes=row.resolution_minutes,
        around_the_clock=row.around_the_clock,
        asks_rating=row.asks_rating,
    )
