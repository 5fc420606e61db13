"""Looking through the trail: narrowed, in pages, and quick however long it has become."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased

from bot.staff.audit import view_of
from bot.staff.models import AuditEvent, AuditView
from bot.storage.sql import Database
from bot.values.clock import LOCAL_ZONE

SCANNED_ROWS = 20_000
"""How many rows one page looks at where no index answers; a link goes on from there."""
STREAM_ROWS = 1_000
_COLUMNS = ("actor", "action", "object_kind", "object_id", "reason", "source")
_INDEXED = ("object_id", "actor", "action")
"""Columns with an index that ends in the position, the narrowest first."""


@dataclass(frozen=True, slots=True)
class TrailFilter:
    """What to look for; empty fields do not narrow. ``reason`` is a part of one, days are whole and included."""

    actor: str = ""
    action: str = ""
    object_kind: str = ""
    object_id: str = ""
    reason: str = ""
    source: str = ""
    first: date | None = None
    last: date | None = None

    def as_params(self) -> dict[str, str]:
        """Return what is set, for a task's parameters or an address."""
        values = {name: getattr(self, name) for name in _COLUMNS}
        days = {name: day.isoformat() for name in ("first", "last") if (day := getattr(self, name)) is not None}
        return {name: value for name, value in values.items() if value} | days

    @classmethod
    def from_params(cls, params: Mapping[str, object]) -> "TrailFilter":
        """Return what ``as_params`` was made of; other values are left out."""
        days = {name: date.fromisoformat(str(params[name])) for name in ("first", "last") if name in params}
        texts = {name: str(params[name]) for name in _COLUMNS if name in params}
        return replace(cls(**texts), **days)  # type: ignore[arg-type] # The names are those of the days.


@dataclass(frozen=True, slots=True)
class TrailPage:
    """Rows, newest first. ``before`` goes on from here and is ``None`` at the end.

    ``searched_to`` is set when the page ends because enough rows were looked at, not because it is full.
    """

    events: tuple[AuditView, ...]
    before: int | None
    searched_to: datetime | None = None


class TrailSearch:
    """Reads the trail."""

    def __init__(self, database: Database, *, scanned_rows: int = SCANNED_ROWS) -> None:
        self._database = database
        self._scanned_rows = scanned_rows

    async def page(self, wanted: TrailFilter, *, before: int | None = None, limit: int = 50) -> TrailPage:
        """Return a page; ``before`` continues from an earlier one."""
        async with self._database.reading() as session:
            low, high = await self._bounds(session, wanted, before)
            return await self._page(session, wanted, low, high, limit)

    async def span(self, wanted: TrailFilter) -> int:
        """Return how many positions lie between the wanted days: the most rows that there can be."""
        async with self._database.reading() as session:
            low, high = await self._bounds(session, wanted, None)
        return max(0, high - low)

    async def stream(self, wanted: TrailFilter) -> AsyncIterator[tuple[AuditView, ...]]:
        """Give everything that fits, newest first, in pieces; some are empty. What is added meanwhile is left out."""
        async with self._database.reading() as session:
            low, high = await self._bounds(session, wanted, None)
        before: int | None = high
        while before is not None:
            async with self._database.reading() as session:
                page = await self._page(session, wanted, low, before, STREAM_ROWS)
            yield page.events
            before = page.before

    async def actions(self) -> list[str]:
        """Return every action there is, in a number of steps that depends on them alone and not on the rows."""
        return await self._distinct(AuditEvent.action)

    async def actors(self) -> list[str]:
        """Return everybody who is in the trail."""
        return await self._distinct(AuditEvent.actor)

    async def _distinct(self, column: InstrumentedAttribute[str]) -> list[str]:
        # From each value straight to the next one in the index; DISTINCT would read every row.
        found = select(func.min(column).label("value")).cte("found", recursive=True)
        following = select(func.min(column)).where(column > found.c.value).scalar_subquery()
        found = found.union_all(select(following).where(found.c.value.is_not(None)))
        async with self._database.reading() as session:
            return list(await session.scalars(select(found.c.value).where(found.c.value.is_not(None))))

    async def _page(self, session: AsyncSession, wanted: TrailFilter, low: int, high: int, limit: int) -> TrailPage:
        leading, rest = _conditions(wanted)
        fitting = select(AuditEvent).where(*leading, AuditEvent.position >= low, AuditEvent.position < high)
        fitting = fitting.order_by(AuditEvent.position.desc())
        if not rest:
            rows = list(await session.scalars(fitting.limit(limit + 1)))
            return _full_page(rows, limit)
        looked_at = fitting.limit(self._scanned_rows).subquery()
        row = aliased(AuditEvent, looked_at)
        found = select(row).where(*_fits(row, rest)).order_by(row.position.desc()).limit(limit + 1)
        rows = list(await session.scalars(found))
        if len(rows) > limit:
            return _full_page(rows, limit)
        edge = select(func.count(), func.min(looked_at.c.position), func.min(looked_at.c.at))
        count, position, at = (await session.execute(edge)).one()
        events = tuple(view_of(event) for event in rows)
        return TrailPage(events, position, at) if count == self._scanned_rows else TrailPage(events, None)

    async def _bounds(self, session: AsyncSession, wanted: TrailFilter, before: int | None) -> tuple[int, int]:
        """Return the first position that is wanted, and the one behind the last."""
        newest = await session.scalar(select(func.max(AuditEvent.position))) or 0
        low, high = 1, newest + 1
        if wanted.first is not None:
            low = await _first_from(session, wanted.first) or high
        if wanted.last is not None:
            high = await _first_from(session, wanted.last + timedelta(days=1)) or high
        return low, high if before is None else min(high, before)


async def _first_from(session: AsyncSession, day: date) -> int | None:
    """Return the position of the first row of ``day`` or later: rows are added in the order of time."""
    start = datetime.combine(day, time(), LOCAL_ZONE)
    wanted = select(AuditEvent.position).where(AuditEvent.at >= start)
    return await session.scalar(wanted.order_by(AuditEvent.at, AuditEvent.position).limit(1))


def _conditions(wanted: TrailFilter) -> tuple[list[ColumnElement[bool]], dict[str, str]]:
    """Return what an index answers, and what is looked for in the rows that it gives, by column."""
    given = {name: value for name in _COLUMNS if (value := getattr(wanted, name))}
    name = next((name for name in _INDEXED if name in given), None)
    return ([] if name is None else [getattr(AuditEvent, name) == given.pop(name)]), given


def _fits(row: type[AuditEvent], rest: Mapping[str, str]) -> list[ColumnElement[bool]]:
    return [
        getattr(row, name).icontains(value, autoescape=True) if name == "reason" else getattr(row, name) == value
        for name, value in rest.items()
    ]


def _full_page(rows: list[AuditEvent], limit: int) -> TrailPage:
    kept = rows[:limit]
    return TrailPage(tuple(view_of(row) for row in kept), kept[-1].position if len(rows) > limit else None)
