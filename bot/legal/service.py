"""What a worker does with their own legal cases: open, look at, correct, cancel, add evidence."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from bot.legal.deadline_table import DeadlineTable
from bot.legal.errors import NoSuchTopic
from bot.legal.facts import deadline_facts
from bot.legal.models import (
    PENDING,
    CaseChanges,
    CaseDraft,
    CaseEvidence,
    CaseHistory,
    CaseStatus,
    CaseSummary,
    CaseView,
    LegalCase,
)
from bot.legal.rows import (
    EVIDENCE_TEXT,
    WAITING_ORDER,
    apply_changes,
    new_row,
    open_case_row,
    open_facts,
    seal_or_none,
    summary_of,
)
from bot.legal.rules import DeadlineRule, Hint, deadlines, is_group, is_urgent, may_change, nearest_due, waiting_rank
from bot.legal.topics import TopicCatalogue
from bot.programmes.models import ProgrammeKind
from bot.registrations.receipts import next_receipt
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

WORKER = "worker"
"""The actor in a case's history when the follower acted by themselves."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The case is registered. ``queue_position`` counts from 1 among those of its county nobody has taken yet."""

    receipt: str
    urgent: bool
    group: bool
    queue_position: int
    hints: tuple[Hint, ...]


@dataclass(frozen=True, slots=True)
class Done:
    """The change is made, now or by an earlier delivery of the same message."""

    case: CaseSummary


@dataclass(frozen=True, slots=True)
class TooLate:
    """The case is over and cannot be changed any more."""

    status: CaseStatus


@dataclass(frozen=True, slots=True)
class NotYours:
    """There is no such case, or it is somebody else's: the two are not told apart."""


ChangeOutcome = Done | TooLate | NotYours


class LegalService:
    """A worker's own cases. Every write carries an idempotency key; the same key again has no second effect."""

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        *,
        topics: TopicCatalogue,
        deadline_table: DeadlineTable,
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._topics = topics
        self._deadline_table = deadline_table

    async def hints(self, topic: str, facts: Mapping[str, str]) -> list[Hint]:
        """Return the time limits that these facts set going, nearest first; raises NoSuchTopic."""
        if topic not in self._topics:
            raise NoSuchTopic(topic=topic)
        today = self._clock.now().date()
        return self._hints_by(await self._deadline_table.rules(today), topic, facts, today)

    async def open_case(self, draft: CaseDraft, key: str) -> Opened:
        """Register a case for the lawyers and return its receipt; raises NoSuchTopic."""
        hints = await self.hints(draft.topic, draft.facts)
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await _by_key(session, key)
            if row is None:
                # The counter stays locked until the end of the transaction, so whoever comes second with the same
                # key gets here after the first one is stored, and finds it.
                receipt = await next_receipt(session, ProgrammeKind.LEGAL_CONSULTATION, now.date())
                row = await _by_key(session, key) or await self._store(session, draft, key, receipt, hints, now)
            position = await queue_position(session, row)
        return Opened(row.receipt, row.is_urgent, row.is_group, position, tuple(hints))

    async def cases_of(self, openid: str) -> list[CaseSummary]:
        """Return the follower's cases, newest first."""
        async with self._database.reading() as session:
            rows = await session.scalars(
                select(LegalCase).where(LegalCase.openid == openid).order_by(LegalCase.id.desc())
            )
            return [summary_of(row) for row in rows]

    async def find(self, receipt: str, openid: str) -> CaseView | None:
        """Return the follower's own case, opened; None when it is not theirs or not there."""
        async with self._database.reading() as session:
            row = await _own(session, receipt, openid)
            return None if row is None else await opened(session, self._cipher, row)

    async def change(self, receipt: str, openid: str, changes: CaseChanges, key: str) -> ChangeOutcome:
        """Correct a case that is not over yet. One that was returned goes back to the lawyers by it.

        Raises NoSuchTopic.
        """
        if changes.topic is not None and changes.topic not in self._topics:
            raise NoSuchTopic(topic=changes.topic)
        now = self._clock.now()
        rules = await self._deadline_table.rules(now.date())
        async with self._database.transaction() as session:
            row = await _changeable(session, receipt, openid, key)
            if not isinstance(row, LegalCase):
                return row
            before = row.status
            changed = apply_changes(self._cipher, row, changes)
            self._mark_anew(row, rules, now.date())
            _resume(row, now)
            session.add(_history(row, "change", before, now, key, changed=changed))
            return Done(summary_of(row))

    async def cancel(self, receipt: str, openid: str, key: str) -> ChangeOutcome:
        """Withdraw a case that is not over yet."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await _changeable(session, receipt, openid, key)
            if not isinstance(row, LegalCase):
                return row
            before, row.status, row.updated_at = row.status, CaseStatus.CANCELLED.value, now
            session.add(_history(row, "cancel", before, now, key))
            return Done(summary_of(row))

    async def add_evidence(
        self, receipt: str, openid: str, key: str, *, kind: str, file_ref: str | None = None, text: str = ""
    ) -> ChangeOutcome:
        """Attach a file of the private store, or a note, to a case that is not over yet.

        ``kind`` is ``image``, ``voice``, ``video``, ``document`` or ``note``.
        """
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await _changeable(session, receipt, openid, key)
            if not isinstance(row, LegalCase):
                return row
            before = row.status
            session.add(
                CaseEvidence(
                    case_id=row.id,
                    kind=kind,
                    file_ref=file_ref,
                    text_sealed=seal_or_none(self._cipher, text, EVIDENCE_TEXT),
                    added_at=now,
                    idempotency_key=key,
                )
            )
            _resume(row, now)
            session.add(_history(row, "evidence", before, now, key))
            return Done(summary_of(row))

    async def refresh_urgency(self) -> int:
        """Compute every running case's limits anew, as days go by; returns how many cases became urgent."""
        today = self._clock.now().date()
        rules = await self._deadline_table.rules(today)
        async with self._database.transaction() as session:
            running = [status.value for status in CaseStatus if may_change(status)]
            rows = list(
                await session.scalars(select(LegalCase).where(LegalCase.status.in_(running)).with_for_update())
            )
            calm = [row for row in rows if not row.is_urgent]
            for row in rows:
                self._mark_anew(row, rules, today)
            return sum(row.is_urgent for row in calm)

    async def _store(
        self, session: AsyncSession, draft: CaseDraft, key: str, receipt: str, hints: list[Hint], now: datetime
    ) -> LegalCase:
        row = new_row(self._cipher, draft, key, receipt, now)
        _mark(row, hints)
        session.add(row)
        await session.flush()
        session.add(_history(row, "open", None, now, key))
        return row

    def _hints_by(self, rules: list[DeadlineRule], topic: str, facts: Mapping[str, str], today: date) -> list[Hint]:
        return deadlines(rules, deadline_facts(self._topics[topic], facts), today)

    def _mark_anew(self, row: LegalCase, rules: list[DeadlineRule], today: date) -> None:
        _mark(row, self._hints_by(rules, row.topic, open_facts(self._cipher, row), today))


async def opened(session: AsyncSession, cipher: FieldCipher, row: LegalCase) -> CaseView:
    """Return a case opened for whoever may read it."""
    counted = await session.scalar(select(func.count()).where(CaseEvidence.case_id == row.id))
    return open_case_row(cipher, row, counted or 0)


async def queue_position(session: AsyncSession, row: LegalCase) -> int:
    """Return the place among the cases of the county that nobody has taken yet, from 1, in the lawyers' own order."""
    before = tuple_(*WAITING_ORDER) < tuple_(row.waiting_rank, row.id)
    counted = select(func.count()).select_from(LegalCase)
    ahead = await session.scalar(counted.where(sql(PENDING), LegalCase.county == row.county, before))
    return (ahead or 0) + 1


async def _by_key(session: AsyncSession, key: str) -> LegalCase | None:
    return (await session.scalars(select(LegalCase).where(LegalCase.idempotency_key == key))).one_or_none()


async def _own(session: AsyncSession, receipt: str, openid: str, *, lock: bool = False) -> LegalCase | None:
    wanted = select(LegalCase).where(LegalCase.receipt == receipt, LegalCase.openid == openid)
    return (await session.scalars(wanted.with_for_update() if lock else wanted)).one_or_none()


async def _changeable(session: AsyncSession, receipt: str, openid: str, key: str) -> LegalCase | ChangeOutcome:
    """Return the locked row to change, or why there is nothing to change (any more)."""
    row = await _own(session, receipt, openid, lock=True)
    if row is None:
        return NotYours()
    if await _seen(session, key):
        return Done(summary_of(row))
    return row if may_change(CaseStatus(row.status)) else TooLate(CaseStatus(row.status))


def _mark(row: LegalCase, hints: list[Hint]) -> None:
    row.is_urgent = is_urgent(hints)
    row.is_group = is_group(row.people_count)
    row.nearest_due_on = nearest_due(hints)
    row.waiting_rank = waiting_rank(row.nearest_due_on, urgent=row.is_urgent, group=row.is_group)


async def _seen(session: AsyncSession, key: str) -> bool:
    return await session.scalar(select(CaseHistory.id).where(CaseHistory.idempotency_key == key)) is not None


def _resume(row: LegalCase, now: datetime) -> None:
    """Whatever the worker adds to a case that was returned to them sends it back to the lawyers."""
    row.updated_at = now
    if row.status == CaseStatus.RETURNED:
        row.status = (CaseStatus.ASSIGNED if row.assigned_to else CaseStatus.PENDING).value


def _history(
    row: LegalCase, action: str, before: str | None, now: datetime, key: str, *, changed: list[str] | None = None
) -> CaseHistory:
    return CaseHistory(
        case_id=row.id,
        at=now,
        actor=WORKER,
        action=action,
        from_status=before,
        to_status=row.status,
        changed=changed or [],
        idempotency_key=key,
    )
