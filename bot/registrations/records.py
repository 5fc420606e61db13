"""Looking at one registration as staff: masked; files with a watermark; what opens a value in plain."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import ProgrammeRow
from bot.registrations.errors import UnknownMaterialFile, UnknownRegistration
from bot.registrations.models import Material, Registration
from bot.registrations.sealing import FIELDS, Sealer
from bot.registrations.statuses import Actor
from bot.registrations.views import HistoryLine, RegistrationView, history_of, views_of
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.staff.unmasking import FieldReader
from bot.storage.encryption import FieldCipher
from bot.storage.files import Mark, PrivateFiles
from bot.storage.sql import Database
from bot.values.clock import Clock

SHOW = "registrations:material:show"


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file to show; it carries what alone it may be used for, and who looks at it and when, in slanted lines."""

    data: bytes
    media_type: str
    code: str


class RegistrationRecords:
    """Reads for the console. Everything is masked; ``reader`` is for the one way to a value in plain."""

    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Clock, audit: AuditWriter, files: PrivateFiles
    ) -> None:
        self._database = database
        self._sealer = Sealer(cipher)
        self._clock = clock
        self._audit = audit
        self._files = files

    async def get(self, receipt: str) -> RegistrationView:
        """Return one registration; raises UnknownRegistration."""
        async with self._database.reading() as session:
            row = await _row(session, receipt)
            return (await views_of(session, self._sealer, self._clock.now().date(), [row]))[0]

    async def history(self, receipt: str) -> tuple[HistoryLine, ...]:
        """Return every change, the oldest first; empty for an unknown receipt."""
        async with self._database.reading() as session:
            return await history_of(session, receipt)

    async def county_of(self, receipt: str) -> str | None:
        """Return whose registration it is to review, by county; raises UnknownRegistration."""
        query = select(Registration.county).where(Registration.receipt == receipt)
        async with self._database.reading() as session:
            found = (await session.execute(query)).one_or_none()
        if found is None:
            raise UnknownRegistration(receipt=receipt)
        county: str | None = found.county
        return county

    def reader(self, receipt: str, field: str) -> FieldReader:
        """Return what opens one value: ``name``, ``phone``, ``id_number`` or ``answers.<name>``.

        It is for ``UnmaskingService``, which asks for the reason and leaves the trace. Raises ValueError for another
        field; the reader raises UnknownRegistration, SealBroken.
        """
        group, _, name = field.partition(".")
        if field not in FIELDS and (group != "answers" or not name):
            raise ValueError(f"there is no field {field!r} to unmask")

        async def read(session: AsyncSession) -> str | None:
            row = await _row(session, receipt)
            if field in FIELDS:
                return self._sealer.open_field(row, field)
            value = self._sealer.open_answers(row).get(name)
            return None if value is None else "、".join(map(str, value)) if isinstance(value, list) else str(value)

        return read

    async def show_material(self, receipt: str, material_id: int, *, by: Actor, source: str = "") -> ShownFile:
        """Return a file of this registration with a watermark; every look leaves an audit row.

        Raises UnknownRegistration, UnknownMaterialFile, FileMissing.
        """
        async with self._database.transaction() as session:
            row = await _row(session, receipt)
            mine = select(Material).where(Material.id == material_id, Material.registration_id == row.id)
            material = (await session.scalars(mine)).one_or_none()
            if material is None:
                raise UnknownMaterialFile(receipt=receipt, material=material_id)
            programme = await session.get_one(ProgrammeRow, row.programme_id)
            purpose = f"仅供{programme.document.title}办理"
            record = AuditRecord(by.id, SHOW, "registration", receipt, material.code, source)
            await self._audit.append(session, record)
        found = await self._files.read(material.file_id)
        mark = Mark(purpose, f"{by.id} {self._clock.now():%Y-%m-%d %H:%M}")
        return ShownFile(*await self._files.marked(found, mark), material.code)


async def _row(session: AsyncSession, receipt: str) -> Registration:
    row = (await session.scalars(select(Registration).where(Registration.receipt == receipt))).one_or_none()
    if row is None:
        raise UnknownRegistration(receipt=receipt)
    return row
