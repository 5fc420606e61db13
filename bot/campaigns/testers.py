"""Followers who get previews: colleagues, by the names that staff gave them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from bot.campaigns.office_models import Tester
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock

TESTERS_MAX = 50
NAME_MAX_CHARS = 40


@dataclass(frozen=True, slots=True)
class NamedTester:
    """One tester; the OpenID stays out of pages."""

    id: int
    name: str
    openid: str


class Testers:
    """The list of testers. Each change is in the trail, which names the tester by number."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def all(self, ids: Collection[int] | None = None) -> tuple[NamedTester, ...]:
        """Return the testers, or those of ``ids``, by name; at most ``TESTERS_MAX``."""
        wanted = select(Tester).order_by(Tester.name, Tester.id).limit(TESTERS_MAX)
        if ids is not None:
            wanted = wanted.where(Tester.id.in_(ids))
        async with self._database.reading() as session:
            return tuple(NamedTester(row.id, row.name, row.openid) for row in await session.scalars(wanted))

    async def add(self, openid: str, name: str, *, by: str, source: str = "") -> bool:
        """Add a tester; say whether that is new. One who is there already keeps their name."""
        row = Tester(openid=openid, name=name, added_by=by, added_at=self._clock.now())
        try:
            async with self._database.transaction() as session:
                session.add(row)
                await session.flush()
                await self._trail.append(
                    session, AuditRecord(by, "campaigns:tester:add", "tester", str(row.id), source=source)
                )
        except IntegrityError:
            return False
        return True

    async def remove(self, tester_id: int, *, by: str, source: str = "") -> bool:
        """Take a tester off the list; say whether they were on it."""
        async with self._database.transaction() as session:
            gone = await session.execute(delete(Tester).where(Tester.id == tester_id))
            is_gone = bool(getattr(gone, "rowcount", 0))
            if is_gone:
                await self._trail.append(
                    session, AuditRecord(by, "campaigns:tester:remove", "tester", str(tester_id), source=source)
                )
        return is_gone
