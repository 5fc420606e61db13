"""Places: what is locked while one is given away, and how many are free.

What is taken is always counted from the registrations, live offers and live holds themselves; there is no counter
that could drift. The count is only trustworthy while the place is locked.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import PostRow, Programme, ProgrammeRow, Slot, SlotRow
from bot.programmes.rows import slot_of
from bot.programmes.rules import slot_start
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


@dataclass(frozen=True, slots=True)
class Wish:
    """What a registration would take of a quota. What it occupies already does not count against itself."""

    registration_id: int
    county: str | None
    post_id: int | None


class PlaceLock(Protocol):
    """Keeps everybody else from giving away ``places`` until the transaction ends."""

    async def take(self, session: AsyncSession, places: Collection[Place]) -> None: ...


class RowPlaceLock:
    """Locks the slots' and programmes' rows, always in the same order so that two transactions never wait in a ring.

    On SQLite there is nothing to do: the transaction itself is the lock (BEGIN IMMEDIATE).
    """

    async def take(self, session: AsyncSession, places: Collection[Place]) -> None:
        if session.get_bind().dialect.name == "sqlite":
            return
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


@dataclass(frozen=True, slots=True)
class SlotState:
    """A slot as one look at it shows.

    ``free`` is negative where staff lowered the capacity below what is taken. ``waiting`` people are on its list;
    ``lapsed`` of their offers ran out and are not taken back yet, ``ready`` of them could be offered a place.
    """

    slot: Slot
    free: int
    waiting: int
    lapsed: int
    ready: int

    @property
    def is_unsettled(self) -> bool:
        """Whether somebody who waits comes before anybody who asks now."""
        return self.lapsed > 0 or (self.free > 0 and self.ready > 0)


async def slot_state(
    session: AsyncSession, place: Place, now: datetime, *, but_for: str | None = None
) -> SlotState | None:
    """Return the state of a slot, or ``None`` when it is not the programme's, is closed or has begun.

    The hold of ``but_for`` (an OpenID) is its owner's to use and does not make the slot less free.
    """
    registered = _registered(place, now).subquery()
    held = _held(place, now, but_for).subquery()
    query = (
        select(SlotRow, registered, held)
        .select_from(SlotRow)
        .join(registered, true())
        .join(held, true())
        .where(SlotRow.id == place.slot_id, SlotRow.programme_id == place.programme_id, SlotRow.closed.is_(False))
    )
    row = (await session.execute(query.execution_options(populate_existing=True))).one_or_none()
    if row is None:
        return None
    slot = slot_of(row.SlotRow)
    if slot_start(slot) <= now:
        return None
    free = slot.capacity - row.taken - row.held
    return SlotState(slot, free, row.waiting, row.lapsed, row.ready)


def _registered(place: Place, now: datetime) -> Select[int, int, int, int]:
    waiting = Registration.status == Status.WAITLISTED.value
    ready = and_(
        waiting,
        Registration.qualified.is_(True),
        Registration.offer_expires_at.is_(None),
        Registration.offers_lapsed == 0,
    )
    return select(
        _count(occupies(now)).label("taken"),
        _count(waiting).label("waiting"),
        _count(and_(waiting, Registration.offer_expires_at <= now)).label("lapsed"),
        _count(ready).label("ready"),
    ).where(Registration.slot_id == place.slot_id)


def _held(place: Place, now: datetime, but_for: str | None) -> Select[int]:
    held = select(func.count().label("held")).where(Hold.slot_id == place.slot_id, Hold.expires_at > now)
    return held if but_for is None else held.where(Hold.openid != but_for)


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)


async def missing_in_quota(session: AsyncSession, programme: Programme, wish: Wish, now: datetime) -> NoPlace | None:
    """Return which quota has no place left (total, county, post), or ``None`` when there is one."""
    counted = select(Registration.county, Registration.post_id).where(
        Registration.programme_id == programme.id, Registration.id != wish.registration_id, occupies(now)
    )
    taken = (await session.execute(counted)).all()
    if programme.quota_total is not None and len(taken) >= programme.quota_total:
        return NoPlace("total")
    limit = programme.quota_by_county.get(wish.county or "")
    if limit is not None and sum(row.county == wish.county for row in taken) >= limit:
        return NoPlace("county")
    if wish.post_id is not None:
        places = (await session.execute(select(PostRow.places).where(PostRow.id == wish.post_id))).scalar_one()
        if sum(row.post_id == wish.post_id for row in taken) >= places:
            return NoPlace("post")
    return None
