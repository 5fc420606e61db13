"""Reading one sealed field in plain: permitted, with a reason, so many times an hour, and written down."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.staff.audit import AuditWriter
from bot.staff.errors import NoSuchAccount, NotPermitted
from bot.staff.models import AuditEvent, AuditRecord, StaffAccount, view_of
from bot.staff.rules import PermissionTable, check_reason
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

PER_HOUR = 60
WINDOW = timedelta(hours=1)
UNMASK = ":unmask"
"""How every permission to read in plain ends; the trail's action is the permission itself."""

FieldReader = Callable[[AsyncSession], Awaitable[str | None]]
"""Opens the field inside the given transaction; ``None`` when nothing is stored there."""


@dataclass(frozen=True, slots=True)
class Unmasking:
    """Which field of which record somebody wants to read, and why.

    ``county`` and ``owner`` are those of the record; they decide whether a permission of narrow reach covers it.
    """

    permission: str
    object_kind: str
    object_id: str
    field: str
    reason: str
    source: str
    county: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Unmasked:
    """The value in plain; show it and forget it. ``left`` says how many more may be read within the hour."""

    value: str
    left: int


@dataclass(frozen=True, slots=True)
class NothingStored:
    """The field is empty; nothing was counted or written down."""


@dataclass(frozen=True, slots=True)
class LimitReached:
    """So many were read within an hour that the next one waits until ``again_at``. The attempt is in the trail."""

    per_hour: int
    again_at: datetime


UnmaskOutcome = Unmasked | NothingStored | LimitReached | Problem


class UnmaskingService:
    """The one way to a sealed value for people. The value never comes without its row in the trail."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        permissions: PermissionTable,
        trail: AuditWriter,
        per_hour: int = PER_HOUR,
    ) -> None:
        self._database = database
        self._clock = clock
        self._permissions = permissions
        self._trail = trail
        self._per_hour = per_hour

    async def unmask(self, by: str, wanted: Unmasking, read: FieldReader) -> UnmaskOutcome:
        """Return the value that ``read`` opens, after its row was added to the trail in the same transaction.

        A Problem says what is wrong with the reason. Roles and county are those of this moment. Raises NoSuchAccount,
        NotPermitted when the permission does not cover the record,
        ValueError for one that does not end in ``:unmask``.
        """
        if not wanted.permission.endswith(UNMASK):
            raise ValueError(f"{wanted.permission!r} is not a permission to unmask")
        problem = check_reason(wanted.reason)
        if problem is not None:
            return problem
        async with self._database.transaction() as session:
            await self._permitted(session, by, wanted)
            recent = await self._recent(session, by)
            if len(recent) >= self._per_hour:
                await self._note(session, by, "staff:unmask:refused", wanted)
                return LimitReached(self._per_hour, recent[-self._per_hour] + WINDOW)
            value = await read(session)
            if value is None:
                return NothingStored()
            await self._note(session, by, wanted.permission, wanted)
            return Unmasked(value, self._per_hour - len(recent) - 1)

    async def read_within_the_hour(self, username: str) -> int:
        """Return how many fields somebody has read within the last hour."""
        since = self._clock.now() - WINDOW
        counted = select(func.count()).where(*_unmaskings(username, since))
        async with self._database.reading() as session:
            return await session.scalar(counted) or 0

    async def _permitted(self, session: AsyncSession, by: str, wanted: Unmasking) -> None:
        # The row stays locked until the end, so that attempts at once cannot each see the last free place.
        row = await session.scalar(select(StaffAccount).where(StaffAccount.username == by).with_for_update())
        if row is None:
            raise NoSuchAccount(username=by)
        covered = self._permissions.covers(view_of(row), wanted.permission, county=wanted.county, owner=wanted.owner)
        if not row.active or not covered:
            raise NotPermitted(permission=wanted.permission)

    async def _recent(self, session: AsyncSession, by: str) -> list[datetime]:
        """Return the moments of the fields read within the hour, oldest first."""
        since = self._clock.now() - WINDOW
        wanted = select(AuditEvent.at).where(*_unmaskings(by, since)).order_by(AuditEvent.position)
        return list(await session.scalars(wanted))

    async def _note(self, session: AsyncSession, by: str, action: str, wanted: Unmasking) -> None:
        reason = f"{wanted.field}:{wanted.reason.strip()}"
        record = AuditRecord(by, action, wanted.object_kind, wanted.object_id, reason, wanted.source)
        await self._trail.append(session, record)


def _unmaskings(username: str, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return AuditEvent.actor == username, AuditEvent.at > since, AuditEvent.action.like(f"%{UNMASK}")
