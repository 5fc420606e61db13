"""Opt-outs as staff see and change them, for people who ask by telephone or at the counter."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bot.campaigns.models import OptOut
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock

PAGE = 50
BY_STAFF = "staff:"
"""How the source of an opt-out begins that a member of staff noted; their username follows."""


@dataclass(frozen=True, slots=True)
class OptOutRow:
    """One opt-out that is in force. ``by`` is the member of staff who noted it, empty for followers' own."""

    id: int
    openid: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OptOutPage:
    """Opt-outs, the newest first; ``before`` goes on from here and is ``None`` at the end."""

    rows: tuple[OptOutRow, ...]
    before: int | None


class OptOutDesk:
    """Lists, adds and lifts opt-outs. The trail names them by number and keeps the reason."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def page(self, *, before: int | None = None, limit: int = PAGE) -> OptOutPage:
        """Return a page of those in force."""
        wanted = select(OptOut).where(OptOut.lifted_at.is_(None)).order_by(OptOut.id.desc()).limit(limit + 1)
        if before is not None:
            wanted = wanted.where(OptOut.id < before)
        async with self._database.reading() as session:
            rows = [_row(one) for one in await session.scalars(wanted)]
        return OptOutPage(tuple(rows[:limit]), rows[limit - 1].id if len(rows) > limit else None)

    async def of(self, openids: Collection[str]) -> dict[str, OptOutRow]:
        """Return which of these followers have opted out."""
        wanted = select(OptOut).where(OptOut.openid.in_(openids), OptOut.lifted_at.is_(None))
        async with self._database.reading() as session:
            return {one.openid: _row(one) for one in await session.scalars(wanted)}

    async def add(self, openid: str, *, by: str, reason: str, source: str = "") -> bool:
        """Note that a follower wants no campaigns; say whether that is new."""
        row = OptOut(openid=openid, source=f"{BY_STAFF}{by}"[:64], at=self._clock.now())
        note = AuditRecord(by, "campaigns:opt_out:add", "opt_out", "", reason=reason, source=source)
        try:
            async with self._database.transaction() as session:
                session.add(row)
                await session.flush()
                await self._trail.append(session, replace(note, object_id=str(row.id)))
        except IntegrityError:
            return False
        return True

    async def lift(self, opt_out_id: int, *, by: str, reason: str, source: str = "") -> bool:
        """Let campaigns reach the follower again; say whether the opt-out was still in force."""
        note = AuditRecord(by, "campaigns:opt_out:lift", "opt_out", "", reason=reason, source=source)
        async with self._database.transaction() as session:
            wanted = select(OptOut).where(OptOut.id == opt_out_id, OptOut.lifted_at.is_(None)).with_for_update()
            row = (await session.scalars(wanted)).one_or_none()
            if row is None:
                return False
            row.lifted_at = self._clock.now()
            await self._trail.append(session, replace(note, object_id=str(row.id)))
        return True


def _row(row: OptOut) -> OptOutRow:
    by = row.source.removeprefix(BY_STAFF) if row.source.startswith(BY_STAFF) else ""
    return OptOutRow(row.id, row.openid, by, row.at)
