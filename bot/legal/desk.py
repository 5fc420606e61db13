"""Legal cases as staff see them: lists within a scope, a case opened, notes, conflict checks, single fields shown."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from sqlalchemy import ColumnElement, Select, func, select, tuple_
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.legal.conflicts import compared, core_of
from bot.legal.errors import NoSuchCase
from bot.legal.models import (
    PENDING,
    RUNNING,
    CaseEvidence,
    CaseFilter,
    CaseNote,
    CasePage,
    CaseStatus,
    CaseView,
    CheckedConflict,
    Conflict,
    ConflictCheck,
    LawyerClient,
    LegalCase,
    Note,
    QueueEnd,
    QueuePage,
    Scope,
)
from bot.legal.rows import NAME, PHONE, WAITING_ORDER, open_or_empty, summary_of, within
from bot.legal.service import opened
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

NOTE, CLIENT = "legal_case_notes.text", "legal_lawyer_clients.name"
CLIENT_CORE: Final = "legal_lawyer_clients.core"
Masked = Literal["name", "phone"]
_SEALED_AS = {"name": NAME, "phone": PHONE}


@dataclass(frozen=True, slots=True)
class Client:
    """An employer that a lawyer's firm advises."""

    id: int
    name: str
    added_by: str


class LegalDesk:
    """What the console reads and keeps beside the steps of ``LegalQueue``. A case out of scope is NoSuchCase."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._trail = trail

    # Lists

    async def cases(self, scope: Scope, wanted: CaseFilter, *, after: int | None = None, limit: int = 50) -> CasePage:
        """Return cases within ``scope``, newest first; ``after`` goes on behind the case with that id."""
        query = select(LegalCase).where(*within(scope), *self._conditions(wanted))
        if after is not None:
            query = query.where(LegalCase.id < after)
        async with self._database.reading() as session:
            rows = (await session.scalars(query.order_by(LegalCase.id.desc()).limit(limit + 1))).all()
        more = rows[limit - 1].id if len(rows) > limit else None
        return CasePage(tuple(summary_of(row) for row in rows[:limit]), more)

    async def waiting(self, scope: Scope, *, after: QueueEnd | None = None, limit: int = 50) -> QueuePage:
        """Return what nobody has taken: urgent ones first, then group matters, nearest limit, oldest."""
        narrowed = within(scope)
        query = select(LegalCase).where(sql(PENDING), *narrowed)
        counted = select(func.count()).select_from(LegalCase).where(sql(PENDING), *narrowed)
        if after is not None:
            query = query.where(tuple_(*WAITING_ORDER) > tuple_(after.rank, after.id))
        async with self._database.reading() as session:
            rows = (await session.scalars(query.order_by(*WAITING_ORDER).limit(limit + 1))).all()
            total = await session.scalar(counted)
        shown = rows[:limit]
        more = QueueEnd(shown[-1].waiting_rank, shown[-1].id) if len(rows) > limit else None
        return QueuePage(tuple(summary_of(row) for row in shown), more, total or 0)

    async def counts(self, scope: Scope) -> tuple[int, int]:
        """Return how many cases wait, and how many that are not over have a limit within seven days."""
        soon = self._clock.now().date() + timedelta(days=7)
        waiting = func.count().filter(LegalCase.status == CaseStatus.PENDING.value)
        due = func.count().filter(LegalCase.nearest_due_on <= soon)
        # Not the plain columns: their indexes would lead through all cases, also those that are long over.
        pairs = ((LegalCase.county, scope.county), (LegalCase.assigned_to, scope.lawyer))
        mine = [func.coalesce(column, "") == value for column, value in pairs if value is not None]
        query = select(waiting, due).where(sql(RUNNING), *mine)
        async with self._database.reading() as session:
            found = (await session.execute(query)).one()
        return int(found[0]), int(found[1])

    def _conditions(self, wanted: CaseFilter) -> list[ColumnElement[bool]]:
        fits: list[ColumnElement[bool]] = []
        if wanted.statuses:
            fits.append(LegalCase.status.in_([status.value for status in wanted.statuses]))
        pairs = ((LegalCase.topic, wanted.topic), (LegalCase.county, wanted.county))
        fits += [column == value for column, value in pairs if value]
        if wanted.lawyer:
            fits.append(LegalCase.assigned_to == wanted.lawyer)
        if wanted.receipt:
            fits.append(LegalCase.receipt == wanted.receipt)
        if wanted.only_urgent:
            fits.append(LegalCase.is_urgent.is_(True))
        if wanted.due_within_days is not None:
            until = self._clock.now().date() + timedelta(days=wanted.due_within_days)
            # Gathered first: a planner that walks all cases backwards instead may find few of these, and late.
            soon = select(LegalCase.id).where(sql(RUNNING), LegalCase.nearest_due_on <= until).cte("soon")
            fits.append(LegalCase.id.in_(select(soon.prefix_with("MATERIALIZED", dialect="postgresql").c.id)))
        return fits

    # One case

    async def case(self, receipt: str, scope: Scope) -> CaseView:
        """Return a case opened; raises NoSuchCase."""
        async with self._database.reading() as session:
            return await opened(session, self._cipher, await _row(session, receipt, scope))

    async def evidence(self, receipt: str, scope: Scope) -> list[tuple[int, str, str | None]]:
        """Return id, kind and file of each piece of evidence; raises NoSuchCase."""
        async with self._database.reading() as session:
            case = await _row(session, receipt, scope)
            query = select(CaseEvidence).where(CaseEvidence.case_id == case.id).order_by(CaseEvidence.id)
            return [(row.id, row.kind, row.file_ref) for row in await session.scalars(query)]

    async def reveal(self, receipt: str, field: Masked, scope: Scope, *, by: str, reason: str, source: str) -> str:
        """Return a masked field in full and write down who saw it and why; raises NoSuchCase."""
        async with self._database.transaction() as session:
            row = await _row(session, receipt, scope)
            sealed = row.name_sealed if field == "name" else row.phone_sealed
            action = f"legal:case:unmask_{field}"
            await self._trail.append(session, AuditRecord(by, action, "legal_case", receipt, reason, source))
            return open_or_empty(self._cipher, sealed, _SEALED_AS[field])

    # Notes

    async def add_note(self, receipt: str, scope: Scope, text: str, *, by: str, source: str, key: str) -> None:
        """Keep a private note; the same ``key`` keeps it once. Raises NoSuchCase."""
        async with self._database.transaction() as session:
            case = await _row(session, receipt, scope)
            note = CaseNote(
                case_id=case.id,
                at=self._clock.now(),
                author=by,
                text_sealed=self._cipher.seal(text, NOTE),
                idempotency_key=f"note:{case.id}:{key}",
            )
            try:
                async with session.begin_nested():
                    session.add(note)
            except IntegrityError:
                return  # The button was pressed twice.
            await self._trail.append(session, AuditRecord(by, "legal:case:note", "legal_case", receipt, "", source))

    async def notes(self, receipt: str, scope: Scope) -> list[Note]:
        """Return the notes, newest first; raises NoSuchCase."""
        async with self._database.reading() as session:
            case = await _row(session, receipt, scope)
            query = select(CaseNote).where(CaseNote.case_id == case.id).order_by(CaseNote.id.desc())
            return [
                Note(row.at, row.author, self._cipher.open(row.text_sealed, NOTE))
                for row in await session.scalars(query)
            ]

    # Conflicts of interest

    async def conflict(self, receipt: str, lawyer: str, scope: Scope) -> Conflict:
        """Compare a case's employer with those that the lawyer's firm advises; raises NoSuchCase."""
        async with self._database.reading() as session:
            case = await _row(session, receipt, scope)
            return compared(case.employer, await self._client_names(session, lawyer))

    async def conflicts(self, receipt: str, lawyers: Collection[str], scope: Scope) -> Mapping[str, Conflict]:
        """Compare a case's employer with those of every one of ``lawyers``, in two queries; raises NoSuchCase."""
        query = select(LawyerClient.lawyer, LawyerClient.name_sealed).where(LawyerClient.lawyer.in_(lawyers))
        names: dict[str, list[str]] = {lawyer: [] for lawyer in lawyers}
        async with self._database.reading() as session:
            case = await _row(session, receipt, scope)
            for lawyer, sealed in await session.execute(query):
                names[lawyer].append(self._cipher.open(sealed, CLIENT))
        return {lawyer: compared(case.employer, clients) for lawyer, clients in names.items()}

    async def decide(
        self,
        receipt: str,
        lawyer: str,
        scope: Scope,
        decision: Literal["take", "decline"],
        *,
        by: str,
        source: str,
        reason: str = "",
    ) -> Conflict:
        """Keep what the comparison gives now and what was decided about it; raises NoSuchCase."""
        async with self._database.transaction() as session:
            case = await _row(session, receipt, scope)
            found = compared(case.employer, await self._client_names(session, lawyer))
            session.add(
                ConflictCheck(
                    case_id=case.id,
                    lawyer=lawyer,
                    at=self._clock.now(),
                    by=by,
                    found=found.value,
                    decision=decision,
                    reason=reason,
                )
            )
            action = f"legal:case:conflict_{found.value}_{decision}"
            await self._trail.append(session, AuditRecord(by, action, "legal_case", receipt, reason, source))
            return found

    async def checks(self, receipt: str, scope: Scope) -> list[CheckedConflict]:
        """Return every comparison made for a case, newest first; raises NoSuchCase."""
        async with self._database.reading() as session:
            case = await _row(session, receipt, scope)
            query = select(ConflictCheck).where(ConflictCheck.case_id == case.id).order_by(ConflictCheck.id.desc())
            return [
                CheckedConflict(row.lawyer, row.at, row.by, Conflict(row.found), row.decision, row.reason)
                for row in await session.scalars(query)
            ]

    async def clients(self, lawyer: str) -> list[Client]:
        """Return the employers that a lawyer's firm advises, in the order in which they were added."""
        query = select(LawyerClient).where(LawyerClient.lawyer == lawyer).order_by(LawyerClient.id)
        async with self._database.reading() as session:
            return [
                Client(row.id, self._cipher.open(row.name_sealed, CLIENT), row.added_by)
                for row in await session.scalars(query)
            ]

    async def add_client(self, lawyer: str, name: str, *, by: str, source: str) -> bool:
        """Add an employer; say whether it is new. Two spellings of one employer count once."""
        row = LawyerClient(
            lawyer=lawyer,
            name_sealed=self._cipher.seal(name, CLIENT),
            core_hash=self._cipher.lookup_hash(core_of(name), CLIENT_CORE),
            added_at=self._clock.now(),
            added_by=by,
        )
        async with self._database.transaction() as session:
            try:
                async with session.begin_nested():
                    session.add(row)
            except IntegrityError:
                return False
            await self._trail.append(session, AuditRecord(by, "legal:client:add", "lawyer", lawyer, "", source))
        return True

    async def remove_client(self, lawyer: str, client_id: int, *, by: str, source: str) -> bool:
        """Remove an employer; say whether it was there."""
        async with self._database.transaction() as session:
            row = await session.get(LawyerClient, client_id)
            if row is None or row.lawyer != lawyer:
                return False
            await session.delete(row)
            await self._trail.append(session, AuditRecord(by, "legal:client:remove", "lawyer", lawyer, "", source))
        return True

    async def _client_names(self, session: AsyncSession, lawyer: str) -> list[str]:
        sealed = await session.scalars(select(LawyerClient.name_sealed).where(LawyerClient.lawyer == lawyer))
        return [self._cipher.open(name, CLIENT) for name in sealed]


async def _row(session: AsyncSession, receipt: str, scope: Scope) -> LegalCase:
    query: Select[LegalCase] = select(LegalCase).where(LegalCase.receipt == receipt, *within(scope))
    row = (await session.scalars(query)).one_or_none()
    if row is None:
        raise NoSuchCase(receipt=receipt)
    return row
