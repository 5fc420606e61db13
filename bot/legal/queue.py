"""The lawyers' side: what waits for them, who has it, and how it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from bot.legal.errors import NoSuchCase, TransitionRefused
from bot.legal.models import RUNNING, CaseHistory, CaseStatus, CaseSummary, CaseView, HistoryEntry, LegalCase, Scope
from bot.legal.rows import WAITING_ORDER, summary_of, within
from bot.legal.rules import TRANSITIONS
from bot.legal.service import opened
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class Assigned:
    """The case is this lawyer's now, or was already."""

    case: CaseSummary


@dataclass(frozen=True, slots=True)
class TakenBy:
    """Another lawyer has the case."""

    lawyer: str


AssignOutcome = Assigned | TakenBy


class LegalQueue:
    """Lists and steps for staff. Every step names how far whoever takes it reaches: beyond that it is NoSuchCase.

    Steps are written to ``trail`` with them; ``source`` is the address that they came from.
    """

    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Clock, *, trail: AuditWriter | None = None
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._trail = trail

    async def waiting(self, *, county: str | None = None, limit: int = 50) -> list[CaseSummary]:
        """Return cases nobody has taken: urgent ones first, then group matters, nearest limit, oldest."""
        wanted = _in_order(select(LegalCase).where(LegalCase.status == CaseStatus.PENDING.value))
        if county is not None:
            wanted = wanted.where(LegalCase.county == county)
        return await self._summaries(wanted.limit(limit))

    async def assigned_to(self, lawyer: str, *, limit: int = 50) -> list[CaseSummary]:
        """Return a lawyer's cases that are not over, in the same order."""
        wanted = select(LegalCase).where(LegalCase.assigned_to == lawyer, sql(RUNNING))
        return await self._summaries(_in_order(wanted).limit(limit))

    async def loads(self) -> Mapping[str, int]:
        """Return how many cases that are not over each lawyer has; who has none is not among them."""
        # Not the plain column: its index would make SQLite go through all cases of each lawyer, also those long over.
        lawyer = func.coalesce(LegalCase.assigned_to, "")
        counted = select(lawyer, func.count()).where(sql(RUNNING)).group_by(lawyer)
        async with self._database.reading() as session:
            return {username: cases for username, cases in await session.execute(counted) if username}

    async def case(self, receipt: str) -> CaseView:
        """Return a case opened; raises NoSuchCase. Who may open it, and the audit row, are the caller's."""
        async with self._database.reading() as session:
            row = (await session.scalars(select(LegalCase).where(LegalCase.receipt == receipt))).one_or_none()
            if row is None:
                raise NoSuchCase(receipt=receipt)
            return await opened(session, self._cipher, row)

    async def history(self, receipt: str) -> list[HistoryEntry]:
        """Return everything that happened to a case, oldest first; raises NoSuchCase."""
        async with self._database.reading() as session:
            case_id = await session.scalar(select(LegalCase.id).where(LegalCase.receipt == receipt))
            if case_id is None:
                raise NoSuchCase(receipt=receipt)
            rows = await session.scalars(
                select(CaseHistory).where(CaseHistory.case_id == case_id).order_by(CaseHistory.id)
            )
            return [_entry(row) for row in rows]

    async def assign(self, receipt: str, lawyer: str, scope: Scope, *, by: str, source: str = "") -> AssignOutcome:
        """Give a waiting case to a lawyer, once; raises NoSuchCase, TransitionRefused when it is over."""
        async with self._database.transaction() as session:
            row = await _locked(session, receipt, scope)
            if row.assigned_to is not None and row.status != CaseStatus.PENDING:
                return Assigned(summary_of(row)) if row.assigned_to == lawyer else TakenBy(row.assigned_to)
            self._step(session, row, CaseStatus.ASSIGNED, by, "assign", reason="")
            row.assigned_to = lawyer
            await self._note(session, row, "assign", by, lawyer, source)
            return Assigned(summary_of(row))

    async def reassign(
        self, receipt: str, lawyer: str, scope: Scope, *, by: str, reason: str, source: str = ""
    ) -> CaseSummary:
        """Give a running case that somebody has to another lawyer; raises NoSuchCase, TransitionRefused.

        The status stays: what was done so far was done.
        """
        async with self._database.transaction() as session:
            row = await _locked(session, receipt, scope)
            if row.assigned_to == lawyer:
                return summary_of(row)
            if CaseStatus.CANCELLED not in TRANSITIONS[CaseStatus(row.status)] or row.assigned_to is None:
                raise TransitionRefused(from_status=row.status, to_status=row.status)
            row.assigned_to, row.updated_at = lawyer, self._clock.now()
            session.add(_line(row, row.status, self._clock.now(), by, "reassign", reason))
            await self._note(session, row, "reassign", by, reason, source)
            return summary_of(row)

    async def move(
        self,
        receipt: str,
        to: CaseStatus,
        scope: Scope,
        *,
        by: str,
        reason: str = "",
        outcome: str | None = None,
        source: str = "",
    ) -> CaseSummary:
        """Take a case one step on; raises NoSuchCase, TransitionRefused. A step already taken is left as it is.

        ``outcome`` is a code such as ``oral_advice``, ``aid_application`` or ``referred_12348``, kept on completion.
        """
        async with self._database.transaction() as session:
            row = await _locked(session, receipt, scope)
            if row.status == to:
                return summary_of(row)
            self._step(session, row, to, by, "move", reason)
            row.outcome = outcome or row.outcome
            if to is CaseStatus.PENDING:
                row.assigned_to = None
            await self._note(session, row, to.value, by, outcome or reason, source)
            return summary_of(row)

    async def note_attempt(self, receipt: str, scope: Scope, *, by: str, reached: bool, source: str = "") -> int:
        """Count an attempt to reach the worker and return how many there were; raises NoSuchCase."""
        async with self._database.transaction() as session:
            row = await _locked(session, receipt, scope)
            row.contact_attempts += 1
            if reached and row.status == CaseStatus.ASSIGNED:
                self._step(session, row, CaseStatus.CONTACTED, by, "contact", reason="reached")
            else:
                session.add(
                    _line(row, row.status, self._clock.now(), by, "contact", "reached" if reached else "missed")
                )
            await self._note(session, row, "contact", by, "reached" if reached else "missed", source)
            return row.contact_attempts

    async def _note(
        self, session: AsyncSession, row: LegalCase, step: str, by: str, reason: str, source: str
    ) -> None:
        if self._trail is not None:
            action = f"legal:case:{step}"
            await self._trail.append(session, AuditRecord(by, action, "legal_case", row.receipt, reason, source))

    def _step(self, session: AsyncSession, row: LegalCase, to: CaseStatus, by: str, action: str, reason: str) -> None:
        if to not in TRANSITIONS[CaseStatus(row.status)]:
            raise TransitionRefused(from_status=row.status, to_status=to.value)
        before, now = row.status, self._clock.now()
        row.status, row.updated_at = to.value, now
        session.add(_line(row, before, now, by, action, reason))

    async def _summaries(self, wanted: Select[LegalCase]) -> list[CaseSummary]:
        async with self._database.reading() as session:
            return [summary_of(row) for row in await session.scalars(wanted)]


def _in_order(wanted: Select[LegalCase]) -> Select[LegalCase]:
    return wanted.order_by(*WAITING_ORDER)


async def _locked(session: AsyncSession, receipt: str, scope: Scope) -> LegalCase:
    wanted = select(LegalCase).where(LegalCase.receipt == receipt, *within(scope)).with_for_update()
    row = (await session.scalars(wanted)).one_or_none()
    if row is None:
        raise NoSuchCase(receipt=receipt)
    return row


def _line(row: LegalCase, before: str, at: datetime, by: str, action: str, reason: str) -> CaseHistory:
    return CaseHistory(
        case_id=row.id, at=at, actor=by, action=action, from_status=before, to_status=row.status, reason=reason
    )


def _entry(row: CaseHistory) -> HistoryEntry:
    return HistoryEntry(
        at=row.at,
        actor=row.actor,
        action=row.action,
        from_status=None if row.from_status is None else CaseStatus(row.from_status),
        to_status=CaseStatus(row.to_status),
        reason=row.reason,
        changed=tuple(row.changed),
    )
