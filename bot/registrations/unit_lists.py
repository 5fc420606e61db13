"""Lists of people whom a unit registers: looked through line by line, and stored when nothing speaks against it.

A list is uploaded, checked as a whole (every faulty line with its columns and reasons), and only then stored, by
``unit_work`` in the background. Whoever is in the programme already is named, not doubled. The file is kept sealed
until the list is done or given up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.rows import programme_row
from bot.registrations.answers import AnswerSheet
from bot.registrations.desk_models import UnitList, UnitListLine
from bot.registrations.errors import ListIsOver, UnknownUnitList
from bot.registrations.sealing import Sealer
from bot.registrations.unit_reading import LineOutcome, ListReading
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.files import MadeType, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

UNIT_MAX_CHARS = 60
EXCEL: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class ListState(StrEnum):
    """How far a list is."""

    CHECKED = "checked"
    STORING = "storing"
    DONE = "done"
    WITHDRAWN = "withdrawn"


class Authority(StrEnum):
    """How the unit has its people's agreement."""

    SIGNED = "signed"
    WRITTEN = "written"
    TOLD = "told"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A list as it came. ``unit`` is who hands it in, ``authority`` how its people agreed."""

    programme_id: str
    unit: str
    authority: Authority
    file_name: str
    data: bytes
    by: str
    source: str
    key: str


@dataclass(frozen=True, slots=True)
class ListView:
    """A list with how many lines there are of each kind."""

    id: int
    programme_id: str
    programme_title: str
    unit: str
    authority: Authority
    state: ListState
    by: str
    file_name: str
    uploaded_at: datetime
    finished_at: datetime | None
    counts: Mapping[LineOutcome, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class LineView:
    """One line. ``problems`` are faults, or (where it is no fault) hints, each with its column."""

    number: int
    outcome: LineOutcome
    receipt: str | None
    problems: tuple[tuple[str, Problem], ...]


class UnitLists:
    """Checks lists and shows them; ``unit_work.UnitListTask`` stores them."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        audit: AuditWriter,
        files: PrivateFiles,
        sheet: AnswerSheet,
    ) -> None:
        self._database = database
        self._clock = clock
        self._audit = audit
        self._files = files
        self._reading = ListReading(Sealer(cipher), clock, sheet)

    async def check(self, upload: Upload) -> ListView | Problem:
        """Look through a list and keep it with what was found; a Problem says what is wrong with the file itself.

        Nothing is registered. The same ``key`` gives the same list. Raises UnknownProgramme.
        """
        unit = " ".join(upload.unit.split())
        if not 1 < len(unit) <= UNIT_MAX_CHARS:
            return Problem("unit_list.unit_length", {"max_chars": UNIT_MAX_CHARS})
        async with self._database.reading() as session:
            programme = (await programme_row(session, upload.programme_id)).document
            sheet = await self._reading.sheet(programme, upload.data, upload.file_name)
            if isinstance(sheet, Problem):
                return sheet
            lines = await self._reading.lines(session, programme, sheet)
            rows = await self._reading.rows(session, programme, lines)
        media_type: MadeType = "text/csv" if upload.file_name.lower().endswith(".csv") else EXCEL
        stored = await self._files.save_made(upload.data, media_type, owner=upload.by, purpose="unit_list")
        try:
            return await self._store(upload, unit, rows, stored.id)
        except IntegrityError:
            await self._files.delete(stored.id)
            async with self._database.reading() as session:
                known = (await session.scalars(select(UnitList).where(UnitList.key == upload.key))).one()
                return await _view(session, known)

    async def get(self, list_id: int) -> ListView:
        """Return a list; raises UnknownUnitList."""
        async with self._database.reading() as session:
            return await _view(session, await _row(session, list_id))

    async def latest(self, *, limit: int = 20, before: int | None = None) -> tuple[ListView, ...]:
        """Return the lists, the newest first; ``before`` goes on from a list's number."""
        query = select(UnitList).order_by(UnitList.id.desc()).limit(limit)
        if before is not None:
            query = query.where(UnitList.id < before)
        async with self._database.reading() as session:
            return tuple(await _views(session, (await session.scalars(query)).all()))

    async def lines(
        self, list_id: int, *, outcome: LineOutcome | None = None, after: int = 0, limit: int = 100
    ) -> tuple[LineView, ...]:
        """Return lines in their order; ``after`` is the number of the last one seen."""
        query = select(UnitListLine).where(UnitListLine.list_id == list_id, UnitListLine.line > after)
        if outcome is not None:
            query = query.where(UnitListLine.outcome == outcome.value)
        async with self._database.reading() as session:
            rows = await session.scalars(query.order_by(UnitListLine.line).limit(limit))
            return tuple(map(_line_view, rows))

    async def begin(self, list_id: int, *, by: str, source: str) -> ListView:
        """Let a checked list be stored; whoever presses twice begins once. Raises UnknownUnitList, ListIsOver."""
        async with self._database.transaction() as session:
            row = await _row(session, list_id, lock=True)
            if row.state not in (ListState.CHECKED.value, ListState.STORING.value):
                raise ListIsOver(state=row.state)
            if row.state == ListState.CHECKED.value:
                row.state = ListState.STORING.value
                await self._note(session, "store", row, by, source)
            return await _view(session, row)

    async def withdraw(self, list_id: int, *, by: str, source: str) -> ListView:
        """Give a list up before anything was stored; its file goes. Raises UnknownUnitList, ListIsOver."""
        async with self._database.transaction() as session:
            row = await _row(session, list_id, lock=True)
            if row.state != ListState.CHECKED.value:
                raise ListIsOver(state=row.state)
            row.state, row.finished_at = ListState.WITHDRAWN.value, self._clock.now()
            file_id, row.file_id = row.file_id, None
            await self._note(session, "withdraw", row, by, source)
            view = await _view(session, row)
        if file_id is not None:
            await self._files.delete(file_id)
        return view

    async def _store(self, upload: Upload, unit: str, rows: Sequence[dict[str, Any]], file_id: str) -> ListView:
        async with self._database.transaction() as session:
            row = UnitList(
                key=upload.key,
                programme_id=upload.programme_id,
                unit=unit,
                authorised_by=upload.authority.value,
                state=ListState.CHECKED.value,
                by=upload.by,
                source=upload.source,
                file_id=file_id,
                file_name=upload.file_name[:120],
                uploaded_at=self._clock.now(),
            )
            session.add(row)
            await session.flush()
            await session.execute(insert(UnitListLine), [{**line, "list_id": row.id} for line in rows])
            await self._note(session, "check", row, upload.by, upload.source)
            return await _view(session, row)

    async def _note(self, session: AsyncSession, step: str, row: UnitList, by: str, source: str) -> None:
        reason = f"{row.unit}:{row.authorised_by}"
        record = AuditRecord(by, f"registrations:unit_list:{step}", "unit_list", str(row.id), reason, source)
        await self._audit.append(session, record)


def _line_view(row: UnitListLine) -> LineView:
    problems = tuple((one["column"], Problem(one["code"], one["fields"])) for one in row.problems)
    return LineView(row.line, LineOutcome(row.outcome), row.receipt, problems)


async def _row(session: AsyncSession, list_id: int, *, lock: bool = False) -> UnitList:
    row = await session.get(UnitList, list_id, with_for_update=lock or None)
    if row is None:
        raise UnknownUnitList(list=list_id)
    return row


async def _view(session: AsyncSession, row: UnitList) -> ListView:
    [view] = await _views(session, [row])
    return view


async def _views(session: AsyncSession, rows: Sequence[UnitList]) -> list[ListView]:
    """Return many with as many queries as one, and one more for each programme that they are of."""
    counted = select(UnitListLine.list_id, UnitListLine.outcome, func.count())
    of_these = counted.where(UnitListLine.list_id.in_([row.id for row in rows]))
    counts: dict[int, dict[LineOutcome, int]] = {row.id: {} for row in rows}
    for list_id, outcome, number in await session.execute(
        of_these.group_by(UnitListLine.list_id, UnitListLine.outcome)
    ):
        counts[list_id][LineOutcome(outcome)] = number
    programmes = {row.programme_id for row in rows}
    titles = {one: (await programme_row(session, one)).document.title for one in programmes}
    return [
        ListView(
            id=row.id,
            programme_id=row.programme_id,
            programme_title=titles[row.programme_id],
            unit=row.unit,
            authority=Authority(row.authorised_by),
            state=ListState(row.state),
            by=row.by,
            file_name=row.file_name,
            uploaded_at=row.uploaded_at,
            finished_at=row.finished_at,
            counts=counts[row.id],
        )
        for row in rows
    ]
