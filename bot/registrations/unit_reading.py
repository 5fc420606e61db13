"""From a file to people and faults, the same way when a list is checked and when it is stored."""

import asyncio
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Programme, ProgrammeStatus, SiteRow, SlotRow
from bot.programmes.rules import Finding, Weight
from bot.registrations.answers import AnswerSheet
from bot.registrations.models import Registration
from bot.registrations.prechecks import Past, Prechecks
from bot.registrations.sealing import Sealer
from bot.registrations.sheets import Sheet, read_sheet
from bot.registrations.statuses import AGAIN_ALLOWED
from bot.registrations.unit_checks import Faulty, LineChecks, Person, SlotTable
from bot.registrations.unit_columns import CellReader, columns_for, places_of
from bot.values.clock import Clock
from bot.values.problem import Problem

ASK_AT_ONCE = 500
_NOTHING_BEFORE = Past()


class LineOutcome(StrEnum):
    """What a line is, or became."""

    READY = "ready"
    FAULTY = "faulty"
    ALREADY = "already"
    STORED = "stored"
    REFUSED = "refused"


class ListReading:
    """Reads a file against its programme. Of a line it keeps no value, only the outcome, codes and columns."""

    def __init__(self, sealer: Sealer, clock: Clock, sheet: AnswerSheet) -> None:
        self._sealer = sealer
        self._clock = clock
        self._sheet = sheet
        self._prechecks = Prechecks(sealer, clock)

    async def sheet(self, programme: Programme, data: bytes, file_name: str) -> Sheet | Problem:
        """Return the table, when its titles fit the programme and it can still be registered for."""
        if programme.status is ProgrammeStatus.CLOSED or not columns_for(programme.kind):
            return Problem("unit_list.programme_closed", {"title": programme.title})
        read = await asyncio.to_thread(read_sheet, data, file_name)
        if isinstance(read, Problem):
            return read
        places = places_of(read.titles, programme.kind)
        return places if isinstance(places, Problem) else read

    async def lines(self, session: AsyncSession, programme: Programme, sheet: Sheet) -> tuple[Person | Faulty, ...]:
        """Return what each line means."""
        places = places_of(sheet.titles, programme.kind)
        assert not isinstance(places, Problem), "the sheet was let through by its titles"
        items = {choice.code: choice.label for choice in programme.choices.get("items", ())}
        reader = CellReader(self._sheet, items, self._clock.now().date())
        checks = LineChecks(programme, places, reader, await _slot_table(session, programme.id))
        return await asyncio.to_thread(lambda: tuple(checks.check(line) for line in sheet.lines))

    async def rows(
        self, session: AsyncSession, programme: Programme, lines: Sequence[Person | Faulty]
    ) -> list[dict[str, Any]]:
        """Return the lines as they are kept: without any value, only outcomes, codes and columns."""
        people = [line for line in lines if isinstance(line, Person)]
        known = await self._known(session, programme, people)
        return [self._kept(programme, line, known) for line in lines]

    async def _known(
        self, session: AsyncSession, programme: Programme, people: Sequence[Person]
    ) -> Mapping[str, str]:
        found: dict[str, str] = {}
        hashes = [self._sealer.subject_hash(person.id_number) or "" for person in people]
        for start in range(0, len(hashes), ASK_AT_ONCE):
            query = select(Registration.subject_hash, Registration.receipt).where(
                Registration.programme_id == programme.id,
                Registration.subject_hash.in_(hashes[start : start + ASK_AT_ONCE]),
                Registration.status.not_in([status.value for status in AGAIN_ALLOWED]),
            )
            found |= {subject: receipt for subject, receipt in await session.execute(query) if subject is not None}
        return found

    def _kept(self, programme: Programme, line: Person | Faulty, known: Mapping[str, str]) -> dict[str, Any]:
        match line:
            case Faulty(number, faults):
                found = [(fault.column, fault.problem) for fault in faults]
                return _kept(number, LineOutcome.FAULTY, found)
            case Person():
                receipt = known.get(self._sealer.subject_hash(line.id_number) or "")
                if receipt is not None:
                    return _kept(line.number, LineOutcome.ALREADY, [], receipt)
                findings = self._prechecks.findings(programme, line, _NOTHING_BEFORE)
                barred = any(finding.weight is Weight.OFFLINE for finding in findings)
                outcome = LineOutcome.FAULTY if barred else LineOutcome.READY
                return _kept(line.number, outcome, [("证件号码", as_problem(finding)) for finding in findings])


def as_problem(finding: Finding) -> Problem:
    """Return a finding of the pre-check as a problem of a line."""
    return Problem(f"finding.{finding.code}", dict(finding.fields))


def _kept(
    number: int, outcome: LineOutcome, problems: Sequence[tuple[str, Problem]], receipt: str | None = None
) -> dict[str, Any]:
    noted = [{"column": column, "code": problem.code, "fields": dict(problem.fields)} for column, problem in problems]
    return {"line": number, "outcome": outcome.value, "receipt": receipt, "problems": noted}


async def _slot_table(session: AsyncSession, programme_id: str) -> SlotTable:
    sites = (await session.scalars(select(SiteRow).where(SiteRow.programme_id == programme_id))).all()
    open_slots = select(SlotRow).where(SlotRow.programme_id == programme_id, SlotRow.closed.is_(False))
    slots = (await session.scalars(open_slots)).all()
    named = {"".join(name.split()): site.id for site in sites if not site.closed for name in (site.name, site.code)}
    return SlotTable(
        tuple(site.name for site in sites if not site.closed),
        named,
        {(slot.site_id, slot.day, slot.start): slot.id for slot in slots},
    )
