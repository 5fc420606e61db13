"""Waiting lists: joining in order, ranks, and moving up when a place is free.

Everything here runs inside a transaction that holds the place's lock.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Programme
from bot.programmes.rules import slot_start
from bot.registrations.journal import notice, remark
from bot.registrations.models import Registration
from bot.registrations.outcomes import Promoted
from bot.registrations.places import Place, PlaceKind, SlotState, Wish, missing_in_quota, slot_state
from bot.registrations.statuses import SYSTEM, Status


@dataclass(frozen=True, slots=True)
class Settled:
    """What settling a place did: offers that ran out, and who was offered a place."""

    lapsed: int
    promoted: tuple[Promoted, ...]


async def join(session: AsyncSession, registration: Registration, place: Place) -> None:
    """Put ``registration`` at the end of the list; the number it gets is never given again."""
    highest = select(func.max(Registration.waitlist_seq)).where(Registration.waitlist_queue == place.queue)
    registration.waitlist_seq = ((await session.execute(highest)).scalar_one() or 0) + 1
    registration.waitlist_queue = place.queue


async def waiting_count(session: AsyncSession, place: Place) -> int:
    """Return how many wait for ``place``."""
    query = select(func.count()).where(
        Registration.waitlist_queue == place.queue, Registration.status == Status.WAITLISTED.value
    )
    return (await session.execute(query)).scalar_one()


async def position_of(session: AsyncSession, registration: Registration) -> int | None:
    """Return the rank (from 1) among those still waiting, or ``None`` for who is not.

    Who let an offer run out stands behind those who have not been asked yet.
    """
    if registration.status != Status.WAITLISTED.value:
        return None
    ahead = select(func.count()).where(
        Registration.waitlist_queue == registration.waitlist_queue,
        Registration.status == Status.WAITLISTED.value,
        or_(
            Registration.offers_lapsed < registration.offers_lapsed,
            and_(
                Registration.offers_lapsed == registration.offers_lapsed,
                Registration.waitlist_seq < registration.waitlist_seq,
            ),
        ),
    )
    return (await session.execute(ahead)).scalar_one() + 1


async def settle(session: AsyncSession, programme: Programme, place: Place, now: datetime) -> Settled:
    """Take back offers that ran out and offer what is free to those who wait, in their order.

    Called before a place is given away (so that nobody overtakes the list) and after one became free.
    """
    lapsed = await _take_back(session, place, now)
    if place.kind is PlaceKind.SLOT:
        return Settled(lapsed, await _offer_in_slot(session, programme, place, now))
    return Settled(lapsed, await _offer_in_quota(session, programme, place, now))


async def settled_slot(
    session: AsyncSession, programme: Programme, place: Place, now: datetime, openid: str
) -> SlotState | None:
    """Return a slot's state once nobody who waits comes before ``openid``; ``None``: not to be had any more."""
    state = await slot_state(session, place, now, but_for=openid)
    if state is None or not state.is_unsettled:
        return state
    await settle(session, programme, place, now)
    return await slot_state(session, place, now, but_for=openid)


async def _take_back(session: AsyncSession, place: Place, now: datetime) -> int:
    query = select(Registration).where(
        Registration.waitlist_queue == place.queue,
        Registration.status == Status.WAITLISTED.value,
        Registration.offer_expires_at <= now,
    )
    rows = (await session.scalars(query)).all()
    for row in rows:
        row.offer_expires_at = None
        row.offers_lapsed += 1
        session.add(remark(row, SYSTEM, now, reason="offer_lapsed"))
        session.add(notice(row, "offer_lapsed", now))
    await session.flush()
    return len(rows)


async def _candidates(session: AsyncSession, place: Place, at_most: int | None = None) -> list[Registration]:
    # Somebody who let an offer run out is offered another one only when staff put them forward again; otherwise a
    # list of one would get the same offer every day.
    query = (
        select(Registration)
        .where(
            Registration.waitlist_queue == place.queue,
            Registration.status == Status.WAITLISTED.value,
            Registration.qualified.is_(True),
            Registration.offer_expires_at.is_(None),
            Registration.offers_lapsed == 0,
        )
        .order_by(Registration.waitlist_seq)
        .limit(at_most)
        .execution_options(populate_existing=True)
    )
    return list(await session.scalars(query))


async def _offer_in_slot(
    session: AsyncSession, programme: Programme, place: Place, now: datetime
) -> tuple[Promoted, ...]:
    state = await slot_state(session, place, now)
    if state is None or state.free <= 0 or state.ready == 0:
        return ()
    expires_at = min(now + timedelta(hours=programme.waitlist_hold_hours), slot_start(state.slot))
    candidates = await _candidates(session, place, state.free)
    promoted = tuple(_offer(session, candidate, now, expires_at) for candidate in candidates)
    await session.flush()
    return promoted


async def _offer_in_quota(
    session: AsyncSession, programme: Programme, place: Place, now: datetime
) -> tuple[Promoted, ...]:
    promoted: list[Promoted] = []
    expires_at = now + timedelta(hours=programme.waitlist_hold_hours)
    for candidate in await _candidates(session, place):
        wish = Wish(candidate.id, candidate.county, candidate.post_id)
        lacking = await missing_in_quota(session, programme, wish, now)
        if lacking is not None and lacking.what == "post":
            # The wish cannot be met; people find another post for whoever accepts the place.
            wish = replace(wish, post_id=None)
            lacking = await missing_in_quota(session, programme, wish, now)
        if lacking is not None and lacking.what == "total":
            break
        if lacking is not None:
            continue
        candidate.post_id = wish.post_id
        promoted.append(_offer(session, candidate, now, expires_at))
        await session.flush()
    return tuple(promoted)


def _offer(session: AsyncSession, registration: Registration, now: datetime, expires_at: datetime) -> Promoted:
    registration.offer_expires_at = expires_at
    session.add(remark(registration, SYSTEM, now, reason="place_offered"))
    session.add(notice(registration, "offered", now, {"until": expires_at.isoformat()}))
    return Promoted(registration.receipt, expires_at)
