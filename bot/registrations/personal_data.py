"""The registrations' part of an export or erasure."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.privacy import JsonValue, PersonalFile, erased_holder
from bot.programmes.snapshots import to_plain
from bot.registrations.journal import remark, step
from bot.registrations.leaving import vacate
from bot.registrations.ledger import Ledger, Opened
from bot.registrations.models import Hold, Material, Notice, Registration, StatusChange
from bot.registrations.places import PlaceLock
from bot.registrations.sealing import Sealer
from bot.registrations.statuses import SYSTEM, Actor, ActorKind, Status, targets_for
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

RemoveFile = Callable[[str], Awaitable[None]]
"""Deletes a file of the private store by its id; a file that is gone already is no error."""


class RegistrationData:
    """Implements ``PersonalData`` for registrations.

    An erased registration stays as a number for the statistics: programme, county, dates, status. One that was still
    under way is cancelled, and its place goes to whoever waits.
    """

    subject = "registrations"

    def __init__(
        self, database: Database, cipher: FieldCipher, clock: Clock, lock: PlaceLock, *, remove_file: RemoveFile
    ) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._ledger = Ledger(Sealer(cipher), lock, clock)
        self._remove_file = remove_file

    async def export(self, openid: str) -> JsonValue:
        """Return the follower's registrations with everything in them opened."""
        query = select(Registration).where(Registration.openid == openid).order_by(Registration.id)
        async with self._database.reading() as session:
            return [await self._plain(session, row) for row in (await session.scalars(query)).all()]

    async def files(self, openid: str) -> list[PersonalFile]:
        """Return the materials of the follower's registrations."""
        query = (
            select(Registration.receipt, Material.code, Material.id, Material.file_id)
            .join(Material, Material.registration_id == Registration.id)
            .where(Registration.openid == openid)
            .order_by(Material.id)
        )
        async with self._database.reading() as session:
            found = (await session.execute(query)).all()
        return [PersonalFile(f"{row.receipt}-{row.code}-{row.id}", row.file_id) for row in found]

    async def erase(self, openid: str) -> int:
        """Cancel what is under way, strip every registration of the follower and delete its files."""
        async with self._database.reading() as session:
            receipts = (
                await session.scalars(select(Registration.receipt).where(Registration.openid == openid))
            ).all()
        for receipt in receipts:
            async with self._database.transaction() as session:
                opened = await self._ledger.open(session, receipt, openid=openid)
                if opened is not None:
                    await self._erase(session, opened, openid)
        async with self._database.transaction() as session:
            await session.execute(delete(Hold).where(Hold.openid == openid))
        return len(receipts)

    async def _erase(self, session: AsyncSession, opened: Opened, openid: str) -> None:
        registration, now = opened.registration, self._clock.now()
        holder = erased_holder(self._cipher, openid)
        if Status.CANCELLED in targets_for(Status(registration.status), ActorKind.FOLLOWER):
            owner = Actor(ActorKind.FOLLOWER, holder)
            session.add(step(registration, Status.CANCELLED, owner, now, reason="erased"))
            await vacate(session, opened, now)
        session.add(remark(registration, SYSTEM, now, reason="erased"))
        _strip(registration, holder, now)
        await session.flush()
        mine = registration.id
        await session.execute(
            update(StatusChange)
            .where(StatusChange.registration_id == mine, StatusChange.actor_id == openid)
            .values(actor_id=holder)
        )
        await session.execute(update(Notice).where(Notice.registration_id == mine).values(openid=holder))
        unsent = update(Notice).where(Notice.registration_id == mine, Notice.sent_at.is_(None))
        await session.execute(unsent.values(given_up="erased"))
        files = (await session.scalars(select(Material.file_id).where(Material.registration_id == mine))).all()
        await session.execute(delete(Material).where(Material.registration_id == mine))
        # Inside the transaction: when a file cannot be removed, the rows that point to it come back as well.
        for file_id in files:
            await self._remove_file(file_id)

    async def _plain(self, session: AsyncSession, row: Registration) -> dict[str, JsonValue]:
        particulars = self._ledger.sealer.read(row)
        changes = await session.scalars(
            select(StatusChange).where(StatusChange.registration_id == row.id).order_by(StatusChange.ordinal)
        )
        history: list[JsonValue] = [
            {"at": line.at.isoformat(), "status": line.target, "reason": line.reason} for line in changes
        ]
        materials = await session.scalars(select(Material).where(Material.registration_id == row.id))
        files: list[JsonValue] = [
            {"code": item.code, "received_at": item.received_at.isoformat()} for item in materials
        ]
        return {
            "receipt": row.receipt,
            "programme": row.programme_id,
            "programme_version": row.programme_version,
            "status": row.status,
            "county": row.county,
            "relation": row.relation,
            "particulars": to_plain(particulars),
            "consents": dict(row.consents),
            "files": files,
            "history": history,
            "created_at": row.created_at.isoformat(),
        }


def _strip(registration: Registration, holder: str, now: datetime) -> None:
    registration.openid = holder
    registration.idempotency_key = f"erased-{registration.id}"
    registration.name_sealed = registration.phone_sealed = None
    registration.id_number_sealed = registration.answers_sealed = None
    registration.name_masked = registration.phone_masked = registration.id_number_masked = ""
    registration.subject_hash = registration.phone_hash = registration.name_hash = None
    registration.findings = []
    registration.has_findings = registration.has_duplicates = False
    registration.erased_at = now
