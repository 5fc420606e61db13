"""Buttons that call the platform at once: noted by the key of their form, so that pressed twice they call once."""

from collections.abc import Sequence

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from bot.campaigns.errors import StillUnderWay
from bot.campaigns.office_models import StaffCall
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock


class CallBook:
    """Which buttons were pressed, and what came of it."""

    def __init__(self, database: Database, clock: Clock, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    async def begun(self, call: StaffCall) -> StaffCall | None:
        """Note that the call begins, or return the one that had its key before; raises StillUnderWay."""
        call.at = self._clock.now()
        key = call.key
        try:
            async with self._database.transaction() as session:
                session.add(call)
                await session.flush()
        except IntegrityError:
            async with self._database.reading() as session:
                earlier = await session.get(StaffCall, key)
            if earlier is None or earlier.ended_at is None:
                raise StillUnderWay(campaign_id=call.campaign_id) from None
            return earlier
        return None

    async def ended(
        self, call: StaffCall, done: int, refused: Sequence[str] = (), *, source: str | None = None
    ) -> None:
        """Note what came of it; without ``source`` what was done is in the trail already."""
        row = update(StaffCall).where(StaffCall.key == call.key)
        note = AuditRecord(
            call.by,
            f"campaigns:campaign:{call.step}",
            "campaign",
            str(call.campaign_id),
            reason=str(done),
            source=source or "",
        )
        async with self._database.transaction() as session:
            await session.execute(row.values(ended_at=self._clock.now(), done=done, refused=list(refused)))
            if source is not None:
                await self._trail.append(session, note)

    async def forget(self, call: StaffCall) -> None:
        """Take the note away: the platform took nothing, and the same form may try again."""
        async with self._database.transaction() as session:
            await session.execute(delete(StaffCall).where(StaffCall.key == call.key))
