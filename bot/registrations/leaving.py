"""Giving a place up: cancelling, declining an offer, and everything that runs out of time."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import SlotRow
from bot.programmes.rows import any_row, programme_row, slot_of
from bot.programmes.rules import change_deadline
from bot.registrations.journal import step
from bot.registrations.ledger import Ledger, Opened
from bot.registrations.models import Hold, Registration
from bot.registrations.outcomes import (
    Accepted,
    AcceptOutcome,
    Cancelled,
    CancelOutcome,
    Declined,
    DeclineOutcome,
    NotFound,
    NotPossible,
    OfferGone,
    Promoted,
    Released,
    TooLate,
)
from bot.registrations.places import Place, PlaceKind
from bot.registrations.statuses import Actor, ActorKind, Status, targets_for
from bot.registrations.waiting import position_of, settle


async def vacate(session: AsyncSession, opened: Opened, now: datetime) -> tuple[Promoted, ...]:
    """Free what the registration occupied, after its status was changed, and return who moves up."""
    opened.registration.place_taken = False
    opened.registration.offer_expires_at = None
    await session.flush()
    if opened.place is None:
        return ()
    return (await settle(session, opened.programme, opened.place, now)).promoted


async def deadline_of(session: AsyncSession, opened: Opened) -> datetime | None:
    """Return until when a taken slot can be given up by oneself, or ``None`` where nothing limits it."""
    registration = opened.registration
    if registration.slot_id is None or not registration.place_taken:
        return None
    return change_deadline(opened.programme, slot_of(await any_row(session, SlotRow, registration.slot_id)))


@dataclass(frozen=True, slots=True)
class Leaving:
    """Cancels, accepts and declines in the caller's transaction."""

    ledger: Ledger

    async def cancel(self, session: AsyncSession, receipt: str, openid: str, note: str) -> CancelOutcome:
        """Cancel one's own; see ``RegistrationService.cancel``."""
        opened = await self.ledger.open(session, receipt, openid=openid)
        if opened is None:
            return NotFound()
        registration, now = opened.registration, self.ledger.clock.now()
        if Status.CANCELLED not in targets_for(Status(registration.status), ActorKind.FOLLOWER):
            return NotPossible(Status(registration.status))
        deadline = await deadline_of(session, opened)
        if deadline is not None and now > deadline:
            return TooLate(deadline)
        owner = Actor(ActorKind.FOLLOWER, openid)
        session.add(step(registration, Status.CANCELLED, owner, now, reason="by_applicant_request", note=note))
        return Cancelled(receipt, await vacate(session, opened, now))

    async def accept(self, session: AsyncSession, receipt: str, openid: str) -> AcceptOutcome:
        """Turn an offer into a place; see ``RegistrationService.accept_offer``."""
        opened = await self.ledger.open(session, receipt, openid=openid)
        if opened is None:
            return NotFound()
        now = self.ledger.clock.now()
        registration = opened.registration
        if not has_offer(registration, now):
            return await self._offer_gone(session, opened, now)
        actor = Actor(ActorKind.SYSTEM, openid)
        session.add(step(registration, Status.APPROVED, actor, now, reason="offer_accepted"))
        registration.place_taken = True
        registration.offer_expires_at = None
        return Accepted(receipt)

    async def decline(self, session: AsyncSession, receipt: str, openid: str) -> DeclineOutcome:
        """Pass an offer on; see ``RegistrationService.decline_offer``."""
        opened = await self.ledger.open(session, receipt, openid=openid)
        if opened is None:
            return NotFound()
        now = self.ledger.clock.now()
        if not has_offer(opened.registration, now):
            return await self._offer_gone(session, opened, now)
        actor = Actor(ActorKind.FOLLOWER, openid)
        session.add(step(opened.registration, Status.CANCELLED, actor, now, reason="offer_declined"))
        return Declined(receipt, await vacate(session, opened, now))

    async def _offer_gone(self, session: AsyncSession, opened: Opened, now: datetime) -> OfferGone:
        if opened.place is not None:
            await settle(session, opened.programme, opened.place, now)
        return OfferGone(Status(opened.registration.status), await position_of(session, opened.registration))

    async def places_to_settle(self, session: AsyncSession) -> tuple[Place, ...]:
        """Return every place with a hold or an offer that ran out, or with people who could move up."""
        now = self.ledger.clock.now()
        holds = select(Hold.programme_id, Hold.slot_id).where(Hold.expires_at <= now)
        waiting = (
            select(Registration.programme_id, Registration.slot_id)
            .outerjoin(SlotRow, SlotRow.id == Registration.slot_id)
            .where(Registration.status == Status.WAITLISTED.value)
            .where(or_(Registration.offer_expires_at <= now, Registration.qualified.is_(True)))
            .where(or_(Registration.slot_id.is_(None), SlotRow.day >= now.date()))
        )
        rows = {*(await session.execute(holds)).all(), *(await session.execute(waiting)).all()}
        return tuple(
            sorted(
                Place(PlaceKind.QUOTA, programme_id)
                if slot_id is None
                else Place(PlaceKind.SLOT, programme_id, slot_id)
                for programme_id, slot_id in rows
            )
        )

    async def release(self, session: AsyncSession, place: Place) -> Released:
        """Drop the holds on ``place`` that ran out and settle its list."""
        now = self.ledger.clock.now()
        programme = (await programme_row(session, place.programme_id)).document
        await self.ledger.lock.take(session, [place])
        dropped = 0
        if place.kind is PlaceKind.SLOT:
            lapsed = delete(Hold).where(Hold.slot_id == place.slot_id, Hold.expires_at <= now)
            result = await session.execute(lapsed)
            dropped = result.rowcount if isinstance(result, CursorResult) else 0
        settled = await settle(session, programme, place, now)
        return Released(dropped, settled.lapsed, settled.promoted)


def has_offer(registration: Registration, now: datetime) -> bool:
    """Say whether a place is offered to this waiting registration and the offer has not run out."""
    expires_at = registration.offer_expires_at
    return registration.status == Status.WAITLISTED.value and expires_at is not None and expires_at > now
