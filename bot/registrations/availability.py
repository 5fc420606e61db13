"""What is free, for showing it. Nothing is locked here, so that it is a picture of the moment and no promise."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import PostRow, SiteRow, SlotRow
from bot.programmes.rows import slot_of
from bot.programmes.rules import slot_start
from bot.registrations.models import Hold, Registration
from bot.registrations.outcomes import FreePost, FreeSlot
from bot.registrations.places import occupies
from bot.registrations.statuses import Status

ALTERNATIVES = 4
"""How many other slots are named to somebody whose wish is full."""


@dataclass(frozen=True, slots=True)
class _Counts:
    taken: dict[int | None, int]
    held: dict[int, int]
    waiting: dict[int | None, int]


async def free_slots(
    session: AsyncSession,
    programme_id: str,
    now: datetime,
    *,
    county: str | None = None,
    site_id: int | None = None,
    but_for: str | None = None,
) -> tuple[FreeSlot, ...]:
    """Return every open slot that has not begun, full ones too, by date, time and site.

    The hold of ``but_for`` (an OpenID) is not counted as taken.
    """
    query = (
        select(SlotRow, SiteRow)
        .join(SiteRow, SiteRow.id == SlotRow.site_id)
        .where(SlotRow.programme_id == programme_id, SlotRow.day >= now.date())
        .where(SlotRow.closed.is_(False), SiteRow.closed.is_(False))
        .order_by(SlotRow.day, SlotRow.start, SiteRow.id)
    )
    if county is not None:
        query = query.where(SiteRow.county == county)
    if site_id is not None:
        query = query.where(SiteRow.id == site_id)
    rows = (await session.execute(query)).all()
    counts = await _counts(session, programme_id, now, but_for)
    return tuple(_free_slot(slot, site, counts) for slot, site in rows if slot_start(slot_of(slot)) > now)


async def _counts(session: AsyncSession, programme_id: str, now: datetime, but_for: str | None) -> _Counts:
    mine = Registration.programme_id == programme_id
    taken = select(Registration.slot_id, func.count()).where(mine, occupies(now)).group_by(Registration.slot_id)
    waiting = (
        select(Registration.slot_id, func.count())
        .where(mine, Registration.status == Status.WAITLISTED.value)
        .group_by(Registration.slot_id)
    )
    held = select(Hold.slot_id, func.count()).where(Hold.programme_id == programme_id, Hold.expires_at > now)
    if but_for is not None:
        held = held.where(Hold.openid != but_for)
    return _Counts(
        dict((await session.execute(taken)).all()),
        dict((await session.execute(held.group_by(Hold.slot_id))).all()),
        dict((await session.execute(waiting)).all()),
    )


def _free_slot(slot: SlotRow, site: SiteRow, counts: _Counts) -> FreeSlot:
    return FreeSlot(
        slot_id=slot.id,
        site_id=site.id,
        site_name=site.name,
        county=site.county,
        day=slot.day,
        start=slot.start,
        end=slot.end,
        free=max(0, slot.capacity - counts.taken.get(slot.id, 0) - counts.held.get(slot.id, 0)),
        waiting=counts.waiting.get(slot.id, 0),
    )


async def alternatives(
    session: AsyncSession, programme_id: str, wanted_id: int | None, now: datetime
) -> tuple[FreeSlot, ...]:
    """Return the free slots nearest to the wanted one: its own site first, then its county, then by date."""
    free = [
        slot for slot in await free_slots(session, programme_id, now) if slot.free > 0 and slot.slot_id != wanted_id
    ]
    wanted = None if wanted_id is None else await session.get(SlotRow, wanted_id)
    site = None if wanted is None else await session.get(SiteRow, wanted.site_id)
    if wanted is None or site is None:
        return tuple(free[:ALTERNATIVES])
    day = wanted.day
    free.sort(key=lambda slot: (slot.site_id != site.id, slot.county != site.county, abs(slot.day - day)))
    return tuple(free[:ALTERNATIVES])


async def free_posts(
    session: AsyncSession, programme_id: str, now: datetime, *, county: str | None = None
) -> tuple[FreePost, ...]:
    """Return the open posts by county, with the places that nobody was given yet."""
    query = select(PostRow).where(PostRow.programme_id == programme_id, PostRow.closed.is_(False))
    if county is not None:
        query = query.where(PostRow.county == county)
    posts: Sequence[PostRow] = (await session.scalars(query.order_by(PostRow.county, PostRow.id))).all()
    given = select(Registration.post_id, func.count()).where(Registration.programme_id == programme_id, occupies(now))
    taken = dict((await session.execute(given.group_by(Registration.post_id))).all())
    return tuple(
        FreePost(
            post.id, post.unit, post.title, post.county, post.places, max(0, post.places - taken.get(post.id, 0))
        )
        for post in posts
    )
