"""The legal cases' part of an export or erasure."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.privacy import JsonValue, PersonalFile, erased_holder
from bot.legal.models import CaseEvidence, CaseHistory, CaseNote, CaseStatus, LegalCase
from bot.legal.rows import EVIDENCE_TEXT, NAME, PHONE, STORY, open_facts, open_or_empty, seal_facts
from bot.legal.rules import may_change
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

RemoveFile = Callable[[str], Awaitable[None]]
"""Deletes a file of the private store by its reference; a file that is gone already is no error."""


class LegalData:
    """Implements ``PersonalData`` for legal cases.

    An erased case stays as a number for the statistics: topic, county, dates. Nothing of the person or the dispute
    stays with it, and one that was still running ends.
    """

    subject = "legal"

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, remove_file: RemoveFile) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._remove_file = remove_file

    async def export(self, openid: str) -> JsonValue:
        """Return the follower's cases with everything in them opened."""
        async with self._database.reading() as session:
            rows = await session.scalars(select(LegalCase).where(LegalCase.openid == openid).order_by(LegalCase.id))
            return [await self._plain(session, row) for row in rows.all()]

    async def files(self, openid: str) -> list[PersonalFile]:
        """Return the evidence of the follower's cases that is a file."""
        query = (
            select(LegalCase.receipt, CaseEvidence.kind, CaseEvidence.id, CaseEvidence.file_ref)
            .join(CaseEvidence, CaseEvidence.case_id == LegalCase.id)
            .where(LegalCase.openid == openid, CaseEvidence.file_ref.is_not(None))
            .order_by(CaseEvidence.id)
        )
        async with self._database.reading() as session:
            found = (await session.execute(query)).all()
        return [PersonalFile(f"{row.receipt}-{row.kind}-{row.id}", row.file_ref) for row in found if row.file_ref]

    async def erase(self, openid: str) -> int:
        """Strip every case of the follower and delete its evidence, files included, and what staff noted about it."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            wanted = select(LegalCase).where(LegalCase.openid == openid).with_for_update()
            rows = list(await session.scalars(wanted))
            files = await self._files(session, rows)
            for row in rows:
                self._strip(session, row, openid, now)
            case_ids = [row.id for row in rows]
            for table in (CaseEvidence, CaseNote):
                await session.execute(delete(table).where(table.case_id.in_(case_ids)))
            # Inside the transaction: when a file cannot be removed, the rows that point to it come back as well.
            for file_ref in files:
                await self._remove_file(file_ref)
        return len(rows)

    async def _files(self, session: AsyncSession, rows: list[LegalCase]) -> list[str]:
        case_ids = [row.id for row in rows]
        found = await session.scalars(
            select(CaseEvidence.file_ref).where(
                CaseEvidence.case_id.in_(case_ids), CaseEvidence.file_ref.is_not(None)
            )
        )
        return [file_ref for file_ref in found if file_ref]

    def _strip(self, session: AsyncSession, row: LegalCase, openid: str, now: datetime) -> None:
        before = row.status
        if may_change(CaseStatus(row.status)):
            row.status = CaseStatus.CANCELLED.value
        row.openid = erased_holder(self._cipher, openid)
        row.name_sealed = row.phone_sealed = row.story_sealed = None
        row.facts_sealed = seal_facts(self._cipher, {})
        row.employer = ""
        row.callback_times = []
        row.updated_at = now
        session.add(
            CaseHistory(
                case_id=row.id, at=now, actor="privacy", action="erase", from_status=before, to_status=row.status
            )
        )

    async def _plain(self, session: AsyncSession, row: LegalCase) -> dict[str, JsonValue]:
        evidence = await session.scalars(
            select(CaseEvidence).where(CaseEvidence.case_id == row.id).order_by(CaseEvidence.id)
        )
        return {
            "receipt": row.receipt,
            "status": row.status,
            "topic": row.topic,
            "county": row.county,
            "employer": row.employer,
            "people_count": row.people_count,
            "anonymous": row.is_anonymous,
            "contact_way": row.contact_way,
            "callback_times": list(row.callback_times),
            "fears_retaliation": row.fears_retaliation,
            "name": open_or_empty(self._cipher, row.name_sealed, NAME),
            "phone": open_or_empty(self._cipher, row.phone_sealed, PHONE),
            "story": open_or_empty(self._cipher, row.story_sealed, STORY),
            "facts": open_facts(self._cipher, row),
            "evidence": [
                {
                    "kind": item.kind,
                    "file": item.file_ref,
                    "text": open_or_empty(self._cipher, item.text_sealed, EVIDENCE_TEXT),
                    "added_at": item.added_at.isoformat(),
                }
                for item in evidence
            ],
            "created_at": row.created_at.isoformat(),
            "outcome": row.outcome,
        }
