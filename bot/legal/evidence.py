"""Looking at a worker's evidence as staff: a photo carries who looks and when, and every look is in the trail."""

from dataclasses import dataclass

from sqlalchemy import select

from bot.legal.errors import NoSuchCase
from bot.legal.models import CaseEvidence, LegalCase, Scope
from bot.legal.rows import within
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.files import PrivateFiles
from bot.storage.pictures import watermarked
from bot.storage.sql import Database
from bot.values.clock import Clock

SHOW = "legal:case:show_evidence"


@dataclass(frozen=True, slots=True)
class ShownEvidence:
    """A file to show; a photo is marked."""

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
        if not found.file.media_type.startswith("image/"):
            return ShownEvidence(found.data, found.file.media_type)
        text = f"{by} {self._clock.now():%Y-%m-%d %H:%M}"
        marked = await self._files.in_turn(lambda: watermarked(found.data, text))
        return ShownEvidence(marked, "image/jpeg")
