"""Finding a registration for a change: its place is locked first, then its row, and only then it is read."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Programme
from bot.programmes.rows import programme_row
from bot.registrations.errors import PlaceMoved
from bot.registrations.materials import missing_materials
from bot.registrations.models import Registration
from bot.registrations.places import Place, PlaceLock, place_for
from bot.registrations.sealing import Sealer
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True)
class Opened:
    """A registration that only this transaction changes now. ``place`` is what it competes for, if anything."""

    registration: Registration
    programme: Programme
    place: Place | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """What every kind of change needs: the seal, the lock and the time."""

    sealer: Sealer
    lock: PlaceLock
    clock: Clock

    async def open(
        self, session: AsyncSession, receipt: str, *, openid: str | None = None, also_slot: int | None = None
    ) -> Opened | None:
        """Return the registration, locked with its place (and with ``also_slot``, where it wants to go).

        ``None``: there is none, or it is not ``openid``'s. Raises PlaceMoved when the place changed in between.
        """
        seen = await session.execute(
            select(Registration.programme_id, Registration.slot_id, Registration.openid).where(
                Registration.receipt == receipt
            )
        )
        found = seen.one_or_none()
        if found is None or (openid is not None and found.openid != openid):
            return None
        programme = (await programme_row(session, found.programme_id)).document
        place = place_for(programme, found.slot_id)
        wanted = place_for(programme, also_slot)
        await self.lock.take(session, [item for item in (place, wanted) if item is not None])
        query = select(Registration).where(Registration.receipt == receipt).with_for_update(key_share=True)
        registration = (await session.scalars(query.execution_options(populate_existing=True))).one()
        if registration.slot_id != found.slot_id:
            raise PlaceMoved(receipt=receipt)
        return Opened(registration, programme, place)

    async def missing(self, session: AsyncSession, opened: Opened) -> tuple[str, ...]:
        """Return the codes of the files that are still to be handed in."""
        return await missing_materials(
            session, self.sealer, opened.registration, opened.programme, self.clock.now().date()
        )
