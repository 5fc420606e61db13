"""What staff see of programmes and their slots, drafts and closed ones too."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select

from bot.programmes.errors import UnknownVersion
from bot.programmes.models import (
    Post,
    PostRow,
    Programme,
    ProgrammeKind,
    ProgrammeRow,
    ProgrammeStatus,
    ProgrammeVersionRow,
    Site,
    SiteRow,
    Slot,
    SlotRow,
)
from bot.programmes.rows import post_of, site_of, slot_of
from bot.storage.sql import Database

WEEK_DAYS = 7
EDITIONS_COUNTED = 50


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page of the list ended."""

    open_at: datetime
    programme_id: str


@dataclass(frozen=True, slots=True)
class Week:
    """The slots of seven days from ``first``, with the nearest days before and after that have any."""

    first: date
    slots: tuple[Slot, ...]
    earlier: date | None
    later: date | None

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.first + timedelta(days=number) for number in range(WEEK_DAYS))

    @property
    def before(self) -> date:
        """Return where the week before begins that ends with the nearest earlier slot."""
        return (self.earlier or self.first) - timedelta(days=WEEK_DAYS - 1)


@dataclass(frozen=True, slots=True)
class EditionLine:
    """A version without its contents."""

    version: int
    editor: str
    note: str
    edited_at: datetime


class ProgrammeOverview:
    """Lists for the console; nothing here changes anything."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        *,
        kind: ProgrammeKind | None = None,
        status: ProgrammeStatus | None = None,
        after: Position | None = None,
        limit: int,
    ) -> tuple[Programme, ...]:
        """Return programmes, the latest to open first; ``after`` continues behind the last one of a page."""
        query = select(ProgrammeRow.document).order_by(ProgrammeRow.open_at.desc(), ProgrammeRow.id).limit(limit)
        if kind is not None:
            query = query.where(ProgrammeRow.kind == kind)
        if status is not None:
            query = query.where(ProgrammeRow.status == status)
        if after is not None:
            later = (ProgrammeRow.open_at == after.open_at) & (ProgrammeRow.id > after.programme_id)
            query = query.where((ProgrammeRow.open_at < after.open_at) | later)
        async with self._database.reading() as session:
            return tuple(await session.scalars(query))

    async def counts(self) -> dict[ProgrammeStatus, int]:
        """Return how many programmes there are by status."""
        query = select(ProgrammeRow.status, func.count()).group_by(ProgrammeRow.status)
        async with self._database.reading() as session:
            found = dict((await session.execute(query)).all())
        return {status: found.get(status.value, 0) for status in ProgrammeStatus}

    async def contents(self, programme_id: str) -> Mapping[str, int]:
        """Return how many sites, slots and posts that are not closed a copy could take along."""
        tables: Mapping[str, type[SiteRow | SlotRow | PostRow]] = {
            "sites": SiteRow,
            "slots": SlotRow,
            "posts": PostRow,
        }
        counted = [
            select(func.count())
            .where(table.programme_id == programme_id, table.closed.is_(False))
            .scalar_subquery()
            .label(name)
            for name, table in tables.items()
        ]
        async with self._database.reading() as session:
            row = (await session.execute(select(*counted))).one()
        return dict(zip(tables, row, strict=True))

    async def editions(self, programme_id: str, *, before: int | None = None, limit: int) -> tuple[EditionLine, ...]:
        """Return who stored which version when and why, the newest first; ``before`` continues below a version."""
        version = ProgrammeVersionRow.version
        query = select(
            version, ProgrammeVersionRow.editor, ProgrammeVersionRow.note, ProgrammeVersionRow.edited_at
        ).where(ProgrammeVersionRow.programme_id == programme_id)
        if before is not None:
            query = query.where(version < before)
        async with self._database.reading() as session:
            rows = await session.execute(query.order_by(version.desc()).limit(limit))
            return tuple(EditionLine(*row) for row in rows)

    async def version(self, programme_id: str, version: int) -> Programme:
        """Return what one version says; raises UnknownVersion."""
        async with self._database.reading() as session:
            row = await session.get(ProgrammeVersionRow, (programme_id, version))
            if row is None:
                raise UnknownVersion(programme_id=programme_id, version=version)
            return row.document

    async def rows_changed(self, programme_id: str, after: int, until: int) -> Mapping[str, int]:
        """Return how many sites, slots and posts changed behind version ``after`` up to ``until``, by what they are.

        Of a long stretch the last ``EDITIONS_COUNTED`` versions are counted.
        """
        version = ProgrammeVersionRow.version
        query = select(ProgrammeVersionRow.rows_changed).where(
            ProgrammeVersionRow.programme_id == programme_id,
            version > max(after, until - EDITIONS_COUNTED),
            version <= until,
        )
        counts: Counter[str] = Counter()
        async with self._database.reading() as session:
            for changed in await session.scalars(query):
                counts.update(str(row["table"]) for row in changed)
        return counts

    async def sites(self, programme_id: str) -> tuple[Site, ...]:
        """Return every site, closed ones last."""
        query = select(SiteRow).where(SiteRow.programme_id == programme_id)
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(SiteRow.closed, SiteRow.county, SiteRow.id))
            return tuple(site_of(row) for row in rows)

    async def posts(self, programme_id: str) -> tuple[Post, ...]:
        """Return every post, closed ones last."""
        query = select(PostRow).where(PostRow.programme_id == programme_id)
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(PostRow.closed, PostRow.county, PostRow.id))
            return tuple(post_of(row) for row in rows)

    async def week(self, programme_id: str, first: date, site_ids: Collection[int] | None = None) -> Week:
        """Return the slots of seven days, by day, time and site: of ``site_ids`` alone, or of all sites.

        The nearest days before and after are of all sites.
        """
        mine = SlotRow.programme_id == programme_id
        end = first + timedelta(days=WEEK_DAYS)
        query = select(SlotRow).where(mine, SlotRow.day >= first, SlotRow.day < end)
        if site_ids is not None:
            query = query.where(SlotRow.site_id.in_(site_ids))
        around = select(
            select(func.max(SlotRow.day)).where(mine, SlotRow.day < first).scalar_subquery(),
            select(func.min(SlotRow.day)).where(mine, SlotRow.day >= end).scalar_subquery(),
        )
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(SlotRow.day, SlotRow.start, SlotRow.site_id))
            slots = tuple(slot_of(row) for row in rows)
            earlier, later = (await session.execute(around)).one()
            return Week(first, slots, earlier, later)

    async def first_day(self, programme_id: str, today: date) -> date | None:
        """Return the first day from ``today`` on that has a slot, else the last one there is."""
        mine = SlotRow.programme_id == programme_id
        query = select(
            select(func.min(SlotRow.day)).where(mine, SlotRow.day >= today).scalar_subquery(),
            select(func.max(SlotRow.day)).where(mine).scalar_subquery(),
        )
        async with self._database.reading() as session:
            days: Sequence[date | None] = (await session.execute(query)).one()
        coming, last = days
        return last if coming is None else coming

    async def slots(self, programme_id: str, slot_ids: Collection[int]) -> tuple[Slot, ...]:
        """Return those of ``slot_ids`` that are the programme's, by day and time."""
        query = select(SlotRow).where(SlotRow.programme_id == programme_id, SlotRow.id.in_(slot_ids))
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(SlotRow.day, SlotRow.start, SlotRow.site_id))
            return tuple(slot_of(row) for row in rows)
