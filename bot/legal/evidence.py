"""Looking at a worker's evidence as staff: it carries what it is for and who looks; the trail has every look."""

from dataclasses import dataclass

from sqlalchemy import select

from bot.legal.errors import NoSuchCase
from bot.legal.models import CaseEvidence, LegalCase, Scope
from bot.legal.rows import within
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.files import Mark, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock

SHOW = "legal:case:show_evidence"
PURPOSE = "仅供法律咨询办理"


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """A file to show, marked."""

    data: bytes
    media_type: str


class EvidenceViewer:
    """Reads the private files for those who may see the case."""

    def __init__(self, database: Database, files: PrivateFiles, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._files = files
        self._clock = clock
        self._trail = trail

    async def show(self, receipt: str, evidence_id: int, scope: Scope, *, by: str, source: str) -> ShownEvidence:
        """Return a file of a case within ``scope``; raises NoSuchCase also where the evidence has no file.

        Raises FileMissing when the file was deleted since.
        """
        wanted = (
            select(CaseEvidence.file_ref)
            .join(LegalCase, LegalCase.id == CaseEvidence.case_id)
            .where(LegalCase.receipt == receipt, CaseEvidence.id == evidence_id, *within(scope))
        )
        async with self._database.transaction() as session:
            file_ref = await session.scalar(wanted)
            if file_ref is None:
                raise NoSuchCase(receipt=receipt)
            record = AuditRecord(by, SHOW, "legal_case", receipt, str(evidence_id), source)
            await self._trail.append(session, record)
        found = await self._files.read(file_ref)
        mark = Mark(PURPOSE, f"{by} {self._clock.now():%Y-%m-%d %H:%M}")
        return ShownEvidence(*await self._files.marked(found, mark))
