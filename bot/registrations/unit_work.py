"""Storing a unit's list in the background: each ready line once, whatever dies in between."""

from dataclasses import dataclass
from typing import assert_never

from sqlalchemy import select, update

from bot.programmes.rows import programme_row
from bot.registrations.calls import Calls
from bot.registrations.desk_models import UnitList, UnitListLine
from bot.registrations.errors import UnknownUnitList
from bot.registrations.journal import unit_holder
from bot.registrations.ledger import Ledger
from bot.registrations.models import Registration
from bot.registrations.outcomes import (
    Application,
    Duplicate,
    Full,
    Gone,
    Incomplete,
    NotOnline,
    NotOpen,
    SubmitOutcome,
    Submitted,
)
from bot.registrations.places import PlaceLock
from bot.registrations.prechecks import Prechecks
from bot.registrations.sealing import Sealer
from bot.registrations.statuses import AGAIN_ALLOWED
from bot.registrations.submitting import Submission
from bot.registrations.unit_checks import Person
from bot.registrations.unit_lists import ListState
from bot.registrations.unit_reading import LineOutcome, ListReading
from bot.staff.tasks.running import RunningTask, TaskResult
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

KIND = "unit_list"
RELATION = "union"
"""Who filled it in, as the forms of the chat call it: the unit."""
_KINDS: tuple[type[SubmitOutcome], ...] = (Submitted, Duplicate, Incomplete, NotOnline, NotOpen, Full, Gone)


@dataclass(frozen=True, slots=True)
class _Became:
    """What became of a line."""

    outcome: LineOutcome
    receipt: str | None = None
    problem: str | None = None


class UnitListTask:
    """Implements ``TaskHandler``; the only parameter is ``list``, the list's number."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        lock: PlaceLock,
        *,
        files: PrivateFiles,
        reading: ListReading,
    ) -> None:
        self._database = database
        self._clock = clock
        self._files = files
        self._reading = reading
        self._sealer = Sealer(cipher)
        self._calls = Calls(database, clock)
        self._submission = Submission(Ledger(self._sealer, lock, clock), Prechecks(self._sealer, clock))

    async def __call__(self, task: RunningTask, /) -> TaskResult:
        """Store each line that is ready. Raises UnknownUnitList, FileMissing when nobody stored it for two weeks."""
        list_id = task.params["list"]
        assert isinstance(list_id, int), "a list is stored by its number"
        async with self._database.reading() as session:
            row = await session.get(UnitList, list_id)
        if row is None:
            raise UnknownUnitList(list=list_id)
        people = await self._people(row)
        for position, person in enumerate(people):
            await task.progress(position, len(people))
            await self._store(row, person)
        return TaskResult(await self._finish(row))

    async def _people(self, row: UnitList) -> list[Person]:
        """Return who is ready and not stored yet; of a list that is done, nobody."""
        if row.file_id is None:
            return []
        file = await self._files.read(row.file_id)
        async with self._database.reading() as session:
            programme = (await programme_row(session, row.programme_id)).document
            sheet = await self._reading.sheet(programme, file.data, row.file_name)
            if isinstance(sheet, Problem):
                return []
            lines = await self._reading.lines(session, programme, sheet)
            ready = select(UnitListLine.line).where(
                UnitListLine.list_id == row.id, UnitListLine.outcome == LineOutcome.READY.value
            )
            numbers = set(await session.scalars(ready))
        return [line for line in lines if isinstance(line, Person) and line.number in numbers]

    async def _store(self, row: UnitList, person: Person) -> None:
        application = Application(
            programme_id=row.programme_id,
            openid=unit_holder(row.id),
            key=f"unit-{row.id}-{person.number}",
            name=person.name,
            phone=person.phone,
            id_number=person.id_number,
            birth_date=person.birth_date,
            sex=person.sex,
            county=person.county,
            slot_id=person.slot_id,
            relation=RELATION,
            answers=person.answers,
        )
        note = f"list {row.id}: {row.authorised_by}"
        outcome = await self._calls.once(
            "submit",
            application.key,
            _KINDS,
            lambda session: self._submission.submit_for_unit(session, application, by=row.by, note=note),
        )
        became = await self._became(row, person, outcome)
        problems = [] if became.problem is None else [{"column": "", "code": became.problem, "fields": {}}]
        here = (UnitListLine.list_id == row.id, UnitListLine.line == person.number)
        values = {"outcome": became.outcome.value, "receipt": became.receipt}
        async with self._database.transaction() as session:
            await session.execute(
                update(UnitListLine).where(*here).values(**values | ({"problems": problems} if problems else {}))
            )

    async def _became(self, row: UnitList, person: Person, outcome: SubmitOutcome) -> _Became:
        match outcome:
            case Submitted():
                return _Became(LineOutcome.STORED, outcome.receipt)
            case Duplicate():
                return _Became(LineOutcome.ALREADY, await self._receipt_of(row.programme_id, person))
            case Full():
                return _Became(LineOutcome.REFUSED, problem="unit_list.full")
            case Gone():
                return _Became(LineOutcome.REFUSED, problem="unit_list.gone")
            case NotOnline(findings):
                return _Became(LineOutcome.REFUSED, problem=f"finding.{findings[0].code}")
            case Incomplete() | NotOpen():
                raise AssertionError("a unit's list asks for no consents and has no window")
            case _:
                assert_never(outcome)

    async def _receipt_of(self, programme_id: str, person: Person) -> str | None:
        query = select(Registration.receipt).where(
            Registration.programme_id == programme_id,
            Registration.subject_hash == self._sealer.subject_hash(person.id_number),
            Registration.status.not_in([status.value for status in AGAIN_ALLOWED]),
        )
        async with self._database.reading() as session:
            return await session.scalar(query)

    async def _finish(self, row: UnitList) -> dict[str, int | str]:
        if row.file_id is not None:
            await self._files.delete(row.file_id)
        counts = {outcome.value: 0 for outcome in LineOutcome}
        async with self._database.transaction() as session:
            done = await session.get_one(UnitList, row.id)
            done.state, done.file_id, done.finished_at = ListState.DONE.value, None, self._clock.now()
            lines = select(UnitListLine.outcome).where(UnitListLine.list_id == row.id)
            for outcome in await session.scalars(lines):
                counts[outcome] += 1
        return {"list": row.id, **counts}
