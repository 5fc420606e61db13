"""Keeping a place in a slot for somebody who is still answering."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Programme
from bot.programmes.rows import programme_row
from bot.registrations.availability import alternatives
from bot.registrations.ledger import Ledger
from bot.registrations.models import Hold
from bot.registrations.outcomes import Gone, Held, HoldOutcome
from bot.registrations.places import Place, PlaceKind
from bot.registrations.prechecks import not_open
from bot.registrations.submitting import drop_hold, full
from bot.registrations.upserts import insert_or
from bot.registrations.waiting import settle, settled_slot

TOKEN_BYTES = 12


@dataclass(frozen=True, slots=True)
class Holding:
    """Holds places in the caller's transaction."""

    ledger: Ledger

    async def hold(self, session: AsyncSession, programme_id: str, slot_id: int, openid: str) -> HoldOutcome:
        """Hold one place; see ``RegistrationService.hold_place``."""
        now = self.ledger.clock.now()
        programme = (await programme_row(session, programme_id)).document
        shut = not_open(programme, now)
        if shut is not None:
            return shut
        place = Place(PlaceKind.SLOT, programme_id, slot_id)
        await self.ledger.lock.take(session, [place])
        state = await settled_slot(session, programme, place, now, openid)
        if state is None:
            return Gone(await alternatives(session, programme_id, slot_id, now))
        if state.free <= 0:
            return await full(session, programme, state, now)
        return await _store(session, programme, slot_id, openid, now)

    async def release(self, session: AsyncSession, programme_id: str, openid: str) -> None:
        """Give the hold up; see ``RegistrationService.release_hold``."""
        mine = select(Hold.slot_id).where(Hold.programme_id == programme_id, Hold.openid == openid)
        slot_id = (await session.execute(mine)).scalar_one_or_none()
        if slot_id is None:
            return
        programme = (await programme_row(session, programme_id)).document
        place = Place(PlaceKind.SLOT, programme_id, slot_id)
        await self.ledger.lock.take(session, [place])
        await drop_hold(session, programme_id, openid)
        await settle(session, programme, place, self.ledger.clock.now())


async def _store(session: AsyncSession, programme: Programme, slot_id: int, openid: str, now: datetime) -> Held:
    held = Held(secrets.token_hex(TOKEN_BYTES), slot_id, now + timedelta(minutes=programme.slot_hold_minutes))
    values = {"token": held.token, "slot_id": slot_id, "expires_at": held.expires_at}
    await session.execute(
        insert_or(session, Hold)
        .values(programme_id=programme.id, openid=openid, **values)
        .on_conflict_do_update(index_elements=["programme_id", "openid"], set_=values)
    )
    return held
