"""What staff do to a programme as a whole: create, copy, change, open, close, restore. Each step is in the trail."""

from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.copying import Copying, copy_rows
from bot.programmes.errors import EditConflict, NotReady, UnknownVersion
from bot.programmes.models import (
    PostRow,
    Programme,
    ProgrammeRow,
    ProgrammeStatus,
    ProgrammeVersionRow,
    SiteRow,
    SlotRow,
)
from bot.programmes.readiness import Contents, Lack, lacks
from bot.programmes.rows import columns_of, programme_row
from bot.programmes.rules import changed_consents
from bot.programmes.versions import Edit, refuse_faults, store_version, version_row
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem


@dataclass(frozen=True, slots=True)
class By:
    """Who does it, from which address, and the reason that the version keeps."""

    username: str
    source: str = ""
    note: str = ""


class ProgrammeEditor:
    """Programmes as documents; their sites, slots and posts are ``PlaceEditor``'s."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def create(self, programme: Programme, by: By) -> Programme:
        """Store a draft as version 1; the same id again gives what is stored. Raises InvalidProgramme."""
        refuse_faults(programme)
        try:
            async with self._database.transaction() as session:
                return await self._create(session, programme, by, "create")
        except IntegrityError:
            return await self._stored(programme.id)

    async def copy(self, source_id: str, target: Programme, copying: Copying, by: By) -> Programme:
        """Store ``target`` as a draft with the rows of ``source_id``; the same id again gives what is stored.

        Raises UnknownProgramme, InvalidProgramme.
        """
        refuse_faults(target)
        try:
            async with self._database.transaction() as session:
                await programme_row(session, source_id)
                stored = await self._create(session, target, replace(by, note=by.note or source_id), "copy")
                await copy_rows(session, source_id, stored, copying)
                return stored
        except IntegrityError:
            return await self._stored(target.id)

    async def save(self, programme: Programme, by: By) -> Programme | Problem:
        """Store ``programme`` as the next version of the one it was read from.

        The same content by the same person twice is one version. A changed consent text without a new version code
        is a Problem. Raises EditConflict, InvalidProgramme.
        """
        refuse_faults(programme)
        async with self._database.transaction() as session:
            row = await programme_row(session, programme.id, lock=True)
            if row.document == replace(programme, version=row.version):
                return row.document
            _refuse_conflict(row, programme.version)
            if changed := changed_consents(row.document, programme):
                return Problem("programme.consent_needs_version", {"codes": "、".join(changed)})
            return await self._store(session, row, replace(programme, status=row.document.status), by, "edit")

    async def readiness(self, programme_id: str) -> tuple[Lack, ...]:
        """Return what is missing before it may be opened; raises UnknownProgramme."""
        async with self._database.reading() as session:
            return await self._lacks(session, (await programme_row(session, programme_id)).document)

    async def open(self, programme_id: str, version: int, by: By) -> Programme:
        """Let followers see it, and register within its window; opening an open one changes nothing.

        Raises NotReady, EditConflict, UnknownProgramme.
        """
        async with self._database.transaction() as session:
            row = await programme_row(session, programme_id, lock=True)
            if row.document.status is ProgrammeStatus.PUBLISHED:
                return row.document
            _refuse_conflict(row, version)
            missing = [lack for lack in await self._lacks(session, row.document) if lack.blocks]
            if missing:
                raise NotReady(programme_id=programme_id, lacks=len(missing))
            action = "open" if row.document.status is ProgrammeStatus.DRAFT else "reopen"
            opened = replace(row.document, status=ProgrammeStatus.PUBLISHED)
            return await self._store(session, row, opened, by, action)

    async def close(self, programme_id: str, version: int, by: By) -> Programme:
        """Take no more registrations; those that there are stay. Raises EditConflict, UnknownProgramme."""
        async with self._database.transaction() as session:
            row = await programme_row(session, programme_id, lock=True)
            if row.document.status is ProgrammeStatus.CLOSED:
                return row.document
            _refuse_conflict(row, version)
            closed = replace(row.document, status=ProgrammeStatus.CLOSED)
            return await self._store(session, row, closed, by, "close")

    async def restore(self, programme_id: str, earlier: int, version: int, by: By) -> Programme:
        """Store what an earlier version said as a new one; whether it is open stays as it is.

        Raises UnknownVersion, EditConflict, UnknownProgramme.
        """
        async with self._database.transaction() as session:
            row = await programme_row(session, programme_id, lock=True)
            _refuse_conflict(row, version)
            found = await session.get(ProgrammeVersionRow, (programme_id, earlier))
            if found is None:
                raise UnknownVersion(programme_id=programme_id, version=earlier)
            restored = replace(found.document, status=row.document.status)
            return await self._store(session, row, restored, by, "restore")

    async def _create(self, session: AsyncSession, programme: Programme, by: By, action: str) -> Programme:
        stored = replace(programme, version=1, status=ProgrammeStatus.DRAFT)
        now = self._clock.now()
        session.add(ProgrammeRow(id=stored.id, **columns_of(stored, now)))
        await session.flush()
        session.add(version_row(stored, Edit(by.username, by.note, now)))
        await self._trail.append(session, _record(stored.id, by, action))
        return stored

    async def _store(
        self, session: AsyncSession, row: ProgrammeRow, programme: Programme, by: By, action: str
    ) -> Programme:
        stored = store_version(session, row, programme, Edit(by.username, by.note, self._clock.now()))
        await self._trail.append(session, _record(row.id, by, action))
        return stored

    async def _stored(self, programme_id: str) -> Programme:
        async with self._database.reading() as session:
            return (await programme_row(session, programme_id)).document

    async def _lacks(self, session: AsyncSession, programme: Programme) -> tuple[Lack, ...]:
        now = self._clock.now()
        return lacks(programme, await contents_of(session, programme, now.date()), now)


async def contents_of(session: AsyncSession, programme: Programme, today: date) -> Contents:
    """Return what stands beside the document; slots count from ``today`` on."""
    mine = SlotRow.programme_id == programme.id
    ahead = (
        select(func.count())
        .select_from(SlotRow)
        .join(SiteRow, SiteRow.id == SlotRow.site_id)
        .where(mine, SlotRow.closed.is_(False), SiteRow.closed.is_(False), SlotRow.day >= today)
    )
    outside = ahead.where((SlotRow.day < programme.service_start) | (SlotRow.day > programme.service_end))
    sites = select(func.count()).where(SiteRow.programme_id == programme.id, SiteRow.closed.is_(False))
    posts = select(func.count()).where(PostRow.programme_id == programme.id, PostRow.closed.is_(False))
    counted = select(
        sites.scalar_subquery(), posts.scalar_subquery(), ahead.scalar_subquery(), outside.scalar_subquery()
    )
    return Contents(*(await session.execute(counted)).one())


def _refuse_conflict(row: ProgrammeRow, read: int) -> None:
    if row.version != read:
        raise EditConflict(programme_id=row.id, read=read, stored=row.version)


def _record(programme_id: str, by: By, action: str) -> AuditRecord:
    return AuditRecord(by.username, f"programmes:programme:{action}", "programme", programme_id, by.note, by.source)
