"""Looking at one registration as staff: masked as a whole, in plain one value at a time with a reason and a trace."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.registrations.errors import ProofMissing, TooManyUnmasked, UnknownMaterialFile, UnknownRegistration
from bot.registrations.models import Material, Registration
from bot.registrations.sealing import FIELDS, Sealer
from bot.registrations.statuses import Actor
from bot.registrations.views import HistoryLine, RegistrationView, history_of, views_of
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditEvent, AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.files import PrivateFiles
from bot.storage.pictures import watermarked
from bot.storage.sql import Database
from bot.values.clock import Clock

UNMASKED_PER_HOUR = 60
"""How many values one account opens in an hour: more than any day of reviewing needs, and no way to a whole list."""
REASON_MAX_CHARS = 200
UNMASK = "registration:unmask"


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A file to show: a photo carries who looks at it and when, in slanted lines."""

    data: bytes
    media_type: str
    code: str


class RegistrationRecords:
    """Reads for the console. Everything is masked, except what ``unmask`` opens, one value at a time."""

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

    async def unmask(self, receipt: str, field: str, *, by: Actor, reason: str, source: str = "") -> str:
        """Return one value in plain: ``name``, ``phone``, ``id_number`` or ``answers.<name>``.

        The audit row is stored in the same transaction. Raises ProofMissing without a reason, TooManyUnmasked past
        ``UNMASKED_PER_HOUR``, UnknownRegistration, ValueError for another field, SealBroken.
        """
        if not reason.strip():
            raise ProofMissing(field=field)
        async with self._database.transaction() as session:
            row = await _row(session, receipt)
            value = self._open(row, field)
            await self._note(session, UNMASK, f"{receipt}#{field}", by, reason, source)
            # The trail's head is locked now, so that two windows of one account are counted one after the other.
            await self._refuse_too_many(session, by)
            return value

    async def show_material(self, receipt: str, material_id: int, *, by: Actor, source: str = "") -> ShownFile:
        """Return a file of this registration, photos with a watermark; every look leaves an audit row.

        Raises UnknownRegistration, UnknownMaterialFile, FileMissing.
        """
        async with self._database.transaction() as session:
            row = await _row(session, receipt)
            mine = select(Material).where(Material.id == material_id, Material.registration_id == row.id)
            material = (await session.scalars(mine)).one_or_none()
            if material is None:
                raise UnknownMaterialFile(receipt=receipt, material=material_id)
            await self._note(session, "registration:material", f"{receipt}#{material.code}", by, "", source)
        found = await self._files.read(material.file_id)
        media_type = found.file.media_type
        if not media_type.startswith("image/"):
            return ShownFile(found.data, media_type, material.code)
        text = f"{by.id} {self._clock.now():%Y-%m-%d %H:%M}"
        marked = await self._files.in_turn(lambda: watermarked(found.data, text))
        return ShownFile(marked, "image/jpeg", material.code)

    async def _note(
        self, session: AsyncSession, action: str, object_id: str, by: Actor, reason: str, source: str
    ) -> None:
        record = AuditRecord(by.id, action, "registration", object_id, reason.strip()[:REASON_MAX_CHARS], source)
        await self._audit.append(session, record)

    async def _refuse_too_many(self, session: AsyncSession, by: Actor) -> None:
        since = self._clock.now() - timedelta(hours=1)
        lately = select(func.count()).where(
            AuditEvent.actor == by.id, AuditEvent.action == UNMASK, AuditEvent.at > since
        )
        if (await session.execute(lately)).scalar_one() > UNMASKED_PER_HOUR:
            raise TooManyUnmasked(limit=UNMASKED_PER_HOUR)

    def _open(self, row: Registration, field: str) -> str:
        if field in FIELDS:
            return self._sealer.open_field(row, field) or ""
        group, _, name = field.partition(".")
        if group != "answers":
            raise ValueError(f"there is no field {field!r} to unmask")
        value = self._sealer.open_answers(row).get(name)
        return "、".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


async def _row(session: AsyncSession, receipt: str) -> Registration:
    row = (await session.scalars(select(Registration).where(Registration.receipt == receipt))).one_or_none()
    if row is None:
        raise UnknownRegistration(receipt=receipt)
    return row
