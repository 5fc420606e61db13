"""The list of registrations as staff work through it: filtered, found, ordered, a page at a time.

A page is a seek: it begins where the last one ended, and costs the same on the first page and on the thousandth. The
rows of a page are found along an index for each status and merged, because no index gives all statuses in the order
of time; only then are they read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Post, Site, Slot
from bot.programmes.rows import post_of, site_of, slot_of
from bot.registrations.errors import BadCursor
from bot.registrations.filters import STORED_STATUSES, Filter, Mark, Sort, conditions
from bot.registrations.journal import is_of_a_unit
from bot.registrations.models import Registration
from bot.registrations.searching import SearchKey
from bot.registrations.statuses import Status
from bot.registrations.views import Neighbours, neighbours_of
from bot.storage.sql import Database, UtcDateTime
from bot.values.clock import LOCAL_ZONE, Clock

COUNT_MAX = 2_000
"""Counting stops here: nobody needs the exact number of a pile that high, and the page stays quick."""
ASK_AT_ONCE = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list, masked. ``choices`` are those of its programme, with their labels."""

    receipt: str
    programme_id: str
    programme_title: str
    choices: Mapping[str, str]
    status: Status
    name_masked: str
    phone_masked: str
    county: str | None
    category: str | None
    slot: Slot | None
    site: Site | None
    post: Post | None
    marks: tuple[Mark, ...]
    priority: int
    returned_until: datetime | None
    is_offered: bool
    by_unit: bool
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some lines, and where the next page begins (``None``: there is none)."""

    lines: tuple[Listed, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows with their lines, for whoever writes them elsewhere, and where the next batch begins."""

    pairs: tuple[tuple[Registration, Listed], ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are of each status, up to ``COUNT_MAX``."""

    by_status: dict[Status, int]

    def text(self, status: Status | None) -> str:
        """Return the number as people read it: ``1,234`` or ``2,000+``; of all statuses for ``None``."""
        found = list(self.by_status.values()) if status is None else [self.by_status.get(status, 0)]
        return f"{sum(found):,}+" if max(found, default=0) >= COUNT_MAX else f"{sum(found):,}"


@dataclass(frozen=True, slots=True)
class _At:
    """Where a page ended."""

    rank: int
    created_at: datetime
    id: int

    @classmethod
    def of(cls, row: Registration) -> "_At":
        return cls(row.rank, row.created_at, row.id)

    @classmethod
    def read(cls, cursor: str) -> "_At":
        try:
            rank, microseconds, number = (int(part) for part in cursor.split("."))
            moment = _EPOCH + timedelta(microseconds=microseconds)
        except (ValueError, OverflowError) as error:
            raise BadCursor from error
        return cls(rank, moment.astimezone(LOCAL_ZONE), number)

    def __str__(self) -> str:
        return f"{self.rank}.{(self.created_at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"


class RegistrationList:
    """Pages and counts. Nothing personal is opened; names and numbers come masked from the rows."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def page(
        self, wanted: Filter, *, key: SearchKey | None = None, after: str | None = None, limit: int = 50
    ) -> Page:
        """Return the registrations after the cursor ``after``; raises BadCursor.

        ``RANKED`` needs a programme, whose rules give the priority; without one the order is ``OLDEST``.
        """
        batch = await self.batch(wanted, key=key, after=after, limit=limit)
        return Page(tuple(line for _, line in batch.pairs), batch.next)

    async def batch(
        self, wanted: Filter, *, key: SearchKey | None = None, after: str | None = None, limit: int
    ) -> Batch:
        """Return the same as ``page`` with the rows themselves; raises BadCursor."""
        at = None if after is None else _At.read(after)
        async with self._database.reading() as session:
            rows = await rows_of(session, wanted, self._clock.now(), key=key, at=at, limit=limit + 1)
            near = await neighbours_of(session, rows[:limit])
            pairs = tuple((row, _listed(row, near, self._clock.now())) for row in rows[:limit])
        return Batch(pairs, str(_At.of(rows[limit - 1])) if len(rows) > limit else None)

    async def total(self, wanted: Filter, *, key: SearchKey | None = None) -> int:
        """Return how many there are exactly; it counts them all, so it is for work in the background."""
        narrowing = conditions(wanted, self._clock.now())
        if key is not None:
            narrowing.append(key.condition)
        statuses = Registration.status.in_([status.value for status in wanted.statuses])
        async with self._database.reading() as session:
            return await session.scalar(select(func.count()).where(statuses, *narrowing)) or 0

    async def receipts(self, wanted: Filter, *, key: SearchKey | None = None, limit: int) -> tuple[str, ...]:
        """Return the first ``limit`` receipts of a list, for deciding about all of it."""
        async with self._database.reading() as session:
            rows = await rows_of(session, wanted, self._clock.now(), key=key, at=None, limit=limit)
            return tuple(row.receipt for row in rows)

    async def counts(self, wanted: Filter) -> Counts | None:
        """Return how many there are of each status in the programme, county and time that ``wanted`` names.

        ``None`` where it narrows by more than that: no index counts it.
        """
        if wanted.by_slot or wanted.category or wanted.mark:
            return None
        narrowing = conditions(wanted, self._clock.now())
        counted = [_counted(status, narrowing) for status in STORED_STATUSES]
        async with self._database.reading() as session:
            rows = (await session.execute(union_all(*counted))).all()
        return Counts({Status(status): number for status, number in rows})

    async def waiting_for_review(self, county: str | None) -> int:
        """Return how many are pending (up to ``COUNT_MAX``), for the start page."""
        narrowing = conditions(Filter(county=county), self._clock.now())
        async with self._database.reading() as session:
            return (await session.execute(_counted(Status.PENDING, narrowing))).one()[1]

    async def late(self, county: str | None) -> int:
        """Return how many were sent back and are overdue (up to ``COUNT_MAX``), for the start page."""
        narrowing = conditions(Filter(county=county, mark=Mark.LATE), self._clock.now())
        async with self._database.reading() as session:
            return (await session.execute(_counted(Status.RETURNED, narrowing))).one()[1]

    async def programmes_of(self, receipts: Sequence[str]) -> set[str]:
        """Return the programmes that these registrations are of."""
        found: set[str] = set()
        for start in range(0, len(receipts), ASK_AT_ONCE):
            asked = Registration.receipt.in_(receipts[start : start + ASK_AT_ONCE])
            async with self._database.reading() as session:
                found |= set(await session.scalars(select(Registration.programme_id).where(asked).distinct()))
        return found


async def rows_of(
    session: AsyncSession, wanted: Filter, now: datetime, *, key: SearchKey | None, at: _At | None, limit: int
) -> Sequence[Registration]:
    """Return the rows themselves, in order."""
    if not wanted.statuses:
        return ()
    ids = (await session.scalars(_ids(wanted, now, key, at, limit))).all()
    found = {row.id: row for row in await session.scalars(select(Registration).where(Registration.id.in_(ids)))}
    return [found[number] for number in ids]


def _ids(wanted: Filter, now: datetime, key: SearchKey | None, at: _At | None, limit: int) -> Select[int]:
    narrowing = conditions(wanted, now)
    if key is not None:
        narrowing.append(key.condition)
    sort = _sort_of(wanted)
    few = key is not None or wanted.by_slot
    scopes = (
        [Registration.status.in_([status.value for status in wanted.statuses])]
        if few
        else [Registration.status == status.value for status in wanted.statuses]
    )
    # Only the index by rank has the rank in it; for every other order it would have to be read from the rows.
    rank = Registration.rank if sort is Sort.RANKED else literal(0).label("rank")
    seeks = [
        select(Registration.id, Registration.created_at, rank)
        .where(scope, *narrowing, *_start(sort, at))
        .order_by(*_order(sort, Registration.rank, Registration.created_at, Registration.id))
        .limit(limit)
        .subquery()
        for scope in scopes
    ]
    merged = union_all(*(select(seek) for seek in seeks)).subquery()
    columns = merged.c
    return select(columns.id).order_by(*_order(sort, columns.rank, columns.created_at, columns.id)).limit(limit)


def _sort_of(wanted: Filter) -> Sort:
    return Sort.OLDEST if wanted.sort is Sort.RANKED and wanted.programme_id is None else wanted.sort


def _order(sort: Sort, rank: Any, created_at: Any, number: Any) -> tuple[ColumnElement[Any], ...]:
    match sort:
        case Sort.NEWEST:
            return created_at.desc(), number.desc()
        case Sort.OLDEST:
            return created_at, number
        case Sort.RANKED:
            return rank, created_at, number


def _start(sort: Sort, at: _At | None) -> Sequence[ColumnElement[bool]]:
    """Return where to begin, as one comparison that an index understands."""
    if at is None:
        return ()
    arrived, place = (Registration.created_at, Registration.id), (literal(at.created_at, UtcDateTime), literal(at.id))
    match sort:
        case Sort.NEWEST:
            return (tuple_(*arrived) < tuple_(*place),)
        case Sort.OLDEST:
            return (tuple_(*arrived) > tuple_(*place),)
        case Sort.RANKED:
            return (tuple_(Registration.rank, *arrived) > tuple_(literal(at.rank), *place),)


def _counted(status: Status, narrowing: Sequence[ColumnElement[bool]]) -> Select[str, int]:
    some = select(Registration.id).where(Registration.status == status.value, *narrowing).limit(COUNT_MAX).subquery()
    return select(literal(status.value), select(func.count()).select_from(some).scalar_subquery())


def _listed(row: Registration, near: Neighbours, now: datetime) -> Listed:
    slot = near.slots.get(row.slot_id) if row.slot_id is not None else None
    post = near.posts.get(row.post_id) if row.post_id is not None else None
    return Listed(
        receipt=row.receipt,
        programme_id=row.programme_id,
        programme_title=near.programmes[row.programme_id].title,
        choices=near.programmes[row.programme_id].choice_labels,
        status=Status(row.status),
        name_masked=row.name_masked,
        phone_masked=row.phone_masked,
        county=row.county,
        category=row.category,
        slot=None if slot is None else slot_of(slot),
        site=None if slot is None else site_of(near.sites[slot.site_id]),
        post=None if post is None else post_of(post),
        marks=marks_of(row, now),
        priority=row.priority,
        returned_until=row.returned_until if row.status == Status.RETURNED.value else None,
        is_offered=row.offer_expires_at is not None and row.offer_expires_at > now,
        by_unit=is_of_a_unit(row.openid),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def marks_of(row: Registration, now: datetime) -> tuple[Mark, ...]:
    """Return what makes ``row`` worth a look."""
    is_late = row.status == Status.RETURNED.value and row.returned_until is not None and row.returned_until < now
    marks = (
        (Mark.FINDINGS, row.has_findings),
        (Mark.DUPLICATES, row.has_duplicates),
        (Mark.CHANGED, row.needs_review),
        (Mark.LATE, is_late),
    )
    return tuple(mark for mark, stands in marks if stands)
