"""Places: what is locked while one is given away, and how many are free.

What is taken is always counted from the registrations, live offers and live holds themselves; there is no counter
that could drift. The count is only trustworthy while the place is locked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import PostRow, Programme, ProgrammeRow, SlotRow
from bot.registrations.models import Hold, Registration
from bot.registrations.outcomes import NoPlace
from bot.registrations.statuses import Status


class PlaceKind(StrEnum):
    """A slot has a capacity of its own; the places of a programme without slots share its quota."""

    QUOTA = "quota"
    SLOT = "slot"


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """What is locked: a slot by its number, or a programme's quota by the programme's id."""

    kind: PlaceKind
    programme_id: str
    slot_id: int = 0

    @property
    def queue(self) -> str:
        """Return the name of the waiting list for this place."""
        return f"slot:{self.slot_id}" if self.kind is PlaceKind.SLOT else f"programme:{self.programme_id}"


def place_for(programme: Programme, slot_id: int | None) -> Place | None:
    """Return what a registration with ``slot_id`` competes for, or ``None`` where places are not counted."""
    if not programme.kind.has_places:
        return None
    if not programme.kind.books_slots:
        return Place(PlaceKind.QUOTA, programme.id)
    return None if slot_id is None else Place(PlaceKind.SLOT, programme.id, slot_id)


class PlaceLock(Protocol):
    """Keeps everybody else from giving away ``places`` until the transaction ends."""

    async def take(self, session: AsyncSession, places: Collection[Place]) -> None: ...


class RowPlaceLock:
    """Locks the slots' and programmes' rows, always in the same order so that two transactions never wait in a ring.

    On SQLite the transaction itself is the lock (BEGIN IMMEDIATE), and FOR UPDATE is left out by the dialect.
    """

    async def take(self, session: AsyncSession, places: Collection[Place]) -> None:
        quotas = sorted({place.programme_id for place in places if place.kind is PlaceKind.QUOTA})
        slots = sorted({place.slot_id for place in places if place.kind is PlaceKind.SLOT})
        if quotas:
            rows = select(ProgrammeRow.id).where(ProgrammeRow.id.in_(quotas)).order_by(ProgrammeRow.id)
            await session.execute(rows.with_for_update(key_share=True))
        if slots:
            numbers = select(SlotRow.id).where(SlotRow.id.in_(slots)).order_by(SlotRow.id)
            await session.execute(numbers.with_for_update(key_share=True))


def occupies(now: datetime) -> ColumnElement[bool]:
    """Return the condition by which a registration counts: its place is taken, or offered and not yet run out."""
    offered = and_(Registration.status == Status.WAITLISTED.value, Registration.offer_expires_at > now)
    return or_(Registration.place_taken.is_(True), offered)


async def free_in_slot(session: AsyncSession, slot_id: int, now: datetime, *, but_for: str | None = None) -> int:
    """Return the free places of a slot; negative where staff lowered the capacity below what is taken.

    The hold of ``but_for`` (an OpenID) does not count: it is its owner's to use.
    """
    taken = select(func.count()).where(Registration.slot_id == slot_id, occupies(now)).scalar_subquery()
    live = select(func.count()).where(Hold.slot_id == slot_id, Hold.expires_at > now)
    if but_for is not None:
        live = live.where(Hold.openid != but_for)
    query = select(SlotRow.capacity - taken - live.scalar_subquery()).where(SlotRow.id == slot_id)
    return (await session.execute(query)).scalar_one()


async def missing_in_quota(
    session: AsyncSession, programme: Programme, county: str | None, post_id: int | None, now: datetime
) -> NoPlace | None:
    """Return which quota has no place left (total, county, post), or ``None`` when there is one."""
    counted = select(Registration.county, Registration.post_id).where(
        Registration.programme_id == programme.id, occupies(now)
    )
    taken = (await session.execute(counted)).all()
    if programme.quota_total is not None and len(taken) >= programme.quota_total:
        return NoPlace("total")
    limit = programme.quota_by_county.get(county or "")
    if limit is not None and sum(row.county == county for row in taken) >= limit:
        return NoPlace("county")
    if post_id is not None:
        places = (await session.execute(select(PostRow.places).where(PostRow.id == post_id))).scalar_one()
        if sum(row.post_id == post_id for row in taken) >= places:
            return NoPlace("post")
    return None
