"""Reading programmes and editing them: every edit is a new version with its editor and a note."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from bot.programmes.errors import EditConflict, UnknownRow
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
from bot.programmes.rows import any_row, columns_of, fields_of, post_of, programme_row, site_of, slot_of, table_of
from bot.programmes.snapshots import JsonValue
from bot.programmes.versions import Edit, refuse_faults, store_version, trace, version_row
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class Edition:
    """One version of a programme: who stored it, when, why, and which rows changed beside the document."""

    programme: Programme
    version: int
    editor: str
    note: str
    edited_at: datetime
    rows_changed: Sequence[JsonValue]


class ProgrammeService:
    """Programmes with their sites, slots and posts."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # Reading

    async def get(self, programme_id: str) -> Programme:
        """Return the current version; raises UnknownProgramme."""
        async with self._database.reading() as session:
            return (await programme_row(session, programme_id)).document

    async def published(self, kind: ProgrammeKind | None = None) -> tuple[Programme, ...]:
        """Return what followers may see (published and closed ones), the latest to open first."""
        query = select(ProgrammeRow.document).where(ProgrammeRow.status != ProgrammeStatus.DRAFT)
        if kind is not None:
            query = query.where(ProgrammeRow.kind == kind)
        async with self._database.reading() as session:
            return tuple(await session.scalars(query.order_by(ProgrammeRow.open_at.desc(), ProgrammeRow.id)))

    async def titles(self, programme_ids: Collection[str]) -> Mapping[str, str]:
        """Return the titles of these programmes by their ids, drafts too; an id that is none is left out."""
        query = select(ProgrammeRow.document).where(ProgrammeRow.id.in_(programme_ids))
        async with self._database.reading() as session:
            return {one.id: one.title for one in await session.scalars(query)}

    async def current(self, kind: ProgrammeKind) -> Programme | None:
        """Return the programme to talk about now: an open one, else the next to open, else the last closed one."""
        now = self._clock.now()
        candidates = await self.published(kind)
        open_now = [p for p in candidates if p.status is ProgrammeStatus.PUBLISHED and p.open_at <= now < p.close_at]
        coming = [p for p in candidates if p.status is ProgrammeStatus.PUBLISHED and p.open_at > now]
        over = [p for p in candidates if p.status is ProgrammeStatus.CLOSED or p.close_at <= now]
        return next(iter([*open_now, *reversed(coming), *over]), None)

    async def history(self, programme_id: str) -> tuple[Edition, ...]:
        """Return every version, the oldest first."""
        query = (
            select(ProgrammeVersionRow)
            .where(ProgrammeVersionRow.programme_id == programme_id)
            .order_by(ProgrammeVersionRow.version)
        )
        async with self._database.reading() as session:
            return tuple(
                Edition(row.document, row.version, row.editor, row.note, row.edited_at, row.rows_changed)
                for row in await session.scalars(query)
            )

    async def sites(self, programme_id: str, county: str | None = None) -> tuple[Site, ...]:
        """Return the sites that are not closed, by county and name."""
        query = select(SiteRow).where(SiteRow.programme_id == programme_id, SiteRow.closed.is_(False))
        if county is not None:
            query = query.where(SiteRow.county == county)
        async with self._database.reading() as session:
            return tuple(site_of(row) for row in await session.scalars(query.order_by(SiteRow.county, SiteRow.id)))

    async def site(self, site_id: int) -> Site:
        """Return one site; raises UnknownRow."""
        async with self._database.reading() as session:
            return site_of(await any_row(session, SiteRow, site_id))

    async def slot(self, slot_id: int) -> Slot:
        """Return one slot; raises UnknownRow."""
        async with self._database.reading() as session:
            return slot_of(await any_row(session, SlotRow, slot_id))

    async def posts(self, programme_id: str, county: str | None = None) -> tuple[Post, ...]:
        """Return the posts that are not closed, by county and unit."""
        query = select(PostRow).where(PostRow.programme_id == programme_id, PostRow.closed.is_(False))
        if county is not None:
            query = query.where(PostRow.county == county)
        async with self._database.reading() as session:
            return tuple(post_of(row) for row in await session.scalars(query.order_by(PostRow.county, PostRow.id)))

    # Editing

    async def create(self, programme: Programme, *, editor: str, note: str = "") -> Programme:
        """Store a new programme as version 1 and return it; raises InvalidProgramme."""
        refuse_faults(programme)
        stored = replace(programme, version=1)
        async with self._database.transaction() as session:
            now = self._clock.now()
            session.add(ProgrammeRow(id=stored.id, **columns_of(stored, now)))
            await session.flush()
            session.add(version_row(stored, Edit(editor, note, now)))
        return stored

    async def edit(self, programme: Programme, *, editor: str, note: str) -> Programme:
        """Store ``programme`` as the next version and return it.

        Raises EditConflict when its ``version`` is not the stored one any more, and InvalidProgramme.
        """
        refuse_faults(programme)
        async with self._database.transaction() as session:
            row = await programme_row(session, programme.id, lock=True)
            if row.version != programme.version:
                raise EditConflict(programme_id=programme.id, read=programme.version, stored=row.version)
            return store_version(session, row, programme, Edit(editor, note, self._clock.now()))

    async def add_sites(self, sites: Sequence[Site], *, editor: str, note: str = "") -> tuple[Site, ...]:
        """Store new sites of one programme and return them with their ids."""
        rows = [SiteRow(**fields_of(site)) for site in sites]
        await self._add(rows, sites, editor, note)
        return tuple(site_of(row) for row in rows)

    async def add_slots(self, slots: Sequence[Slot], *, editor: str, note: str = "") -> tuple[Slot, ...]:
        """Store new slots of one programme and return them with their ids."""
        rows = [SlotRow(**fields_of(slot)) for slot in slots]
        await self._add(rows, slots, editor, note)
        return tuple(slot_of(row) for row in rows)

    async def add_posts(self, posts: Sequence[Post], *, editor: str, note: str = "") -> tuple[Post, ...]:
        """Store new posts of one programme and return them with their ids."""
        rows = [PostRow(**fields_of(post)) for post in posts]
        await self._add(rows, posts, editor, note)
        return tuple(post_of(row) for row in rows)

    async def edit_row(self, changed: Site | Slot | Post, *, editor: str, note: str) -> None:
        """Store a changed site, slot or post (found by ``id``); raises UnknownRow.

        A capacity below what is taken is accepted: nobody loses a place, and none becomes free until it fits again.
        """
        table = table_of(changed)
        async with self._database.transaction() as session:
            programme = await programme_row(session, changed.programme_id, lock=True)
            row = await any_row(session, table, changed.id, lock=True)
            if row.programme_id != changed.programme_id:
                raise UnknownRow(table=table.__tablename__, id=changed.id)
            for name, value in fields_of(changed).items():
                setattr(row, name, value)
            edit = Edit(editor, note, self._clock.now(), [trace(changed)])
            store_version(session, programme, programme.document, edit)

    async def _add(
        self,
        rows: Sequence[SiteRow | SlotRow | PostRow],
        values: Sequence[Site | Slot | Post],
        editor: str,
        note: str,
    ) -> None:
        if not values:
            return
        async with self._database.transaction() as session:
            programme = await programme_row(session, values[0].programme_id, lock=True)
            session.add_all(rows)
            await session.flush()
            changes = [trace(replace(value, id=row.id)) for value, row in zip(values, rows, strict=True)]
            edit = Edit(editor, note, self._clock.now(), changes)
            store_version(session, programme, programme.document, edit)
