"""Looking at registrations as staff: pages, one registration with its history, and single unmasked values."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.registrations.errors import ProofMissing, UnknownRegistration
from bot.registrations.models import Registration
from bot.registrations.sealing import FIELDS, Sealer
from bot.registrations.statuses import Actor, Status
from bot.registrations.views import HistoryLine, RegistrationView, history_of, views_of
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which registrations to list; what is empty does not narrow."""

    programme_id: str | None = None
    statuses: Collection[Status] = ()
    counties: Collection[str] = ()
    slot_id: int | None = None
    needs_review: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the registrations that a filter finds; ``total`` counts all of them."""

    registrations: tuple[RegistrationView, ...]
    total: int


class RegistrationRecords:
    """Reads for the console. Everything is masked, except what ``unmask`` opens, one value at a time."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, audit: AuditWriter) -> None:
        self._database = database
        self._sealer = Sealer(cipher)
        self._clock = clock
        self._audit = audit

    async def page(self, wanted: Filter, *, offset: int = 0, limit: int = 50) -> Page:
        """Return registrations by priority and then by time of application."""
        conditions = _conditions(wanted)
        query = select(Registration).where(*conditions)
        ordered = query.order_by(Registration.priority.desc(), Registration.created_at, Registration.id)
        async with self._database.reading() as session:
            total = await session.execute(select(func.count()).select_from(Registration).where(*conditions))
            rows = (await session.scalars(ordered.offset(offset).limit(limit))).all()
            return Page(await self._views(session, rows), total.scalar_one())

    async def get(self, receipt: str) -> RegistrationView:
        """Return one registration; raises UnknownRegistration."""
        async with self._database.reading() as session:
            return (await views_of(session, self._sealer, self._clock.now().date(), [await _row(session, receipt)]))[
                0
            ]

    async def history(self, receipt: str) -> tuple[HistoryLine, ...]:
        """Return every change, the oldest first; empty for an unknown receipt."""
        async with self._database.reading() as session:
            return await history_of(session, receipt)

    async def sharing_phone(self, receipt: str) -> int:
        """Return how many other registrations of the programme have the same phone; raises UnknownRegistration."""
        async with self._database.reading() as session:
            row = await _row(session, receipt)
            same = select(func.count()).where(
                Registration.programme_id == row.programme_id,
                Registration.phone_hash == row.phone_hash,
                Registration.id != row.id,
            )
            return (await session.execute(same)).scalar_one()

    async def unmask(self, receipt: str, field: str, *, by: Actor, reason: str, source: str = "") -> str:
        """Return one value in plain: ``name``, ``phone``, ``id_number`` or ``answers.<name>``.

        The audit row is stored in the same transaction. Raises ProofMissing without a reason, UnknownRegistration,
        ValueError for another field, SealBroken.
        """
        if not reason.strip():
            raise ProofMissing(field=field)
        async with self._database.transaction() as session:
            row = await _row(session, receipt)
            value = self._open(row, field)
            await self._audit.append(
                session,
                AuditRecord(
                    actor=by.id,
                    action="registration:unmask",
                    object_kind="registration",
                    object_id=f"{receipt}#{field}",
                    reason=reason,
                    source=source,
                ),
            )
            return value

    async def _views(self, session: AsyncSession, rows: Sequence[Registration]) -> tuple[RegistrationView, ...]:
        return await views_of(session, self._sealer, self._clock.now().date(), rows)

    def _open(self, row: Registration, field: str) -> str:
        if field in FIELDS:
            return self._sealer.open_field(row, field) or ""
        group, _, name = field.partition(".")
        if group != "answers":
            raise ValueError(f"there is no field {field!r} to unmask")
        value = self._sealer.open_answers(row).get(name)
        return "" if value is None else str(value)


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.programme_id is not None:
        conditions.append(Registration.programme_id == wanted.programme_id)
    if wanted.statuses:
        conditions.append(Registration.status.in_([status.value for status in wanted.statuses]))
    if wanted.counties:
        conditions.append(Registration.county.in_(wanted.counties))
    if wanted.slot_id is not None:
        conditions.append(Registration.slot_id == wanted.slot_id)
    if wanted.needs_review:
        conditions.append(Registration.needs_review.is_(True))
    return conditions


async def _row(session: AsyncSession, receipt: str) -> Registration:
    row = (await session.scalars(select(Registration).where(Registration.receipt == receipt))).one_or_none()
    if row is None:
        raise UnknownRegistration(receipt=receipt)
    return row
