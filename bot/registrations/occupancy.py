"""How full programmes are at this moment, for staff: by slot, site, county and post, in a constant number of queries.

Nothing is locked, so that it is a picture and no promise; places are given away by ``places`` alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from sqlalchemy import ColumnElement, Label, Select, Subquery, case, func, literal, or_, select, union_all

from bot.programmes.models import PostRow, Programme, SiteRow, Slot, SlotRow
from bot.registrations.models import Hold, Registration
from bot.registrations.statuses import Status
from bot.storage.sql import Database
from bot.values.clock import Clock

K = TypeVar("K", int, str)
_PARTS: Final = ("taken", "offered", "held", "waiting")


@dataclass(frozen=True, slots=True)
class Use:
    """Places: ``taken``, ``offered`` to somebody who waits, ``held`` by somebody still answering; who waits.

    ``capacity`` ``None``: not limited by itself.
    """

    capacity: int | None
    taken: int = 0
    offered: int = 0
    held: int = 0
    waiting: int = 0

    @property
    def used(self) -> int:
        """How many places nobody else can have now."""
        return self.taken + self.offered + self.held

    @property
    def free(self) -> int | None:
        return None if self.capacity is None else max(0, self.capacity - self.used)

    @property
    def percent(self) -> int:
        """How full it is; 0 where there is no limit."""
        return 0 if not self.capacity else min(100, round(100 * self.used / self.capacity))


@dataclass(frozen=True, slots=True)
class ProgrammeUse:
    """A programme's use. What is closed adds no capacity to it.

    ``by_site`` is of programmes that book slots, ``by_post`` of the others; each lists every one there is.
    """

    total: Use
    by_site: Mapping[int, Use]
    by_county: Mapping[str, Use]
    by_post: Mapping[int, Use]


@dataclass(frozen=True, slots=True)
class _Group:
    """Registrations and holds of a site or post (``place``) in a county, as the database has counted them."""

    place: int | None
    county: str | None
    use: Use


class Occupancy:
    """Counts from the registrations themselves; there is no counter that could drift."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, programme: Programme) -> ProgrammeUse:
        """Return how full ``programme`` is, in two queries; a slot alone is not looked at (``of_slots``)."""
        now, books = self._clock.now(), programme.kind.books_slots
        async with self._database.reading() as session:
            counted = (_counts_by_site if books else _counts_by_post)(programme.id, now)
            groups = [_Group(row.place, row.county, _use(row)) for row in await session.execute(counted)]
            places = (await session.execute((_sites_of if books else _posts_of)(programme.id))).all()
        capacities = {row.id: int(row.capacity) for row in places}
        counties: dict[str, int] = dict(programme.quota_by_county)
        if books:
            counties = {row.county: 0 for row in places}
            for row in places:
                counties[row.county] += row.capacity
        total = sum(capacities.values()) if books else programme.quota_total
        by_place = _sums(groups, lambda group: group.place, capacities)
        return ProgrammeUse(
            total=_sum(groups, total),
            by_site=by_place if books else {},
            by_county=_sums(groups, lambda group: group.county, counties),
            by_post={} if books else by_place,
        )

    async def of_slots(self, programme_id: str, slots: Sequence[Slot]) -> Mapping[int, Use]:
        """Return how full each of the programme's ``slots`` is, by its number, in one query."""
        if not slots:
            return {}
        counts = _counts_by_slot(programme_id, self._clock.now(), [slot.id for slot in slots])
        query = select(counts.c.slot_id, *(func.sum(counts.c[part]).label(part) for part in _PARTS))
        async with self._database.reading() as session:
            found = {row.slot_id: row for row in await session.execute(query.group_by(counts.c.slot_id))}
        return {slot.id: _use(found.get(slot.id), slot.capacity) for slot in slots}

    async def totals(self, programmes: Sequence[Programme]) -> Mapping[str, Use]:
        """Return how full each of ``programmes`` is as a whole, in four queries however many they are."""
        now, ids = self._clock.now(), [programme.id for programme in programmes]
        if not ids:
            return {}
        async with self._database.reading() as session:
            taken = dict((await session.execute(_taken_by_programme(ids))).all())
            waiting = {row.programme_id: row for row in await session.execute(_waiting_by_programme(ids, now))}
            held = dict((await session.execute(_held_by_programme(ids, now))).all())
            capacity = dict((await session.execute(_capacity_by_programme(ids))).all())
        return {
            programme.id: Use(
                capacity.get(programme.id, 0) if programme.kind.books_slots else programme.quota_total,
                taken=taken.get(programme.id, 0),
                offered=waiting[programme.id].offered if programme.id in waiting else 0,
                held=held.get(programme.id, 0),
                waiting=waiting[programme.id].waiting if programme.id in waiting else 0,
            )
            for programme in programmes
        }


def _counts_by_slot(programme_id: str, now: datetime, slot_ids: Sequence[int] | None = None) -> Subquery:
    """Return up to three rows a slot: who has a place, who waits, who is still answering."""
    none = literal(0)
    taken = select(
        Registration.slot_id,
        func.count().label("taken"),
        none.label("offered"),
        none.label("held"),
        none.label("waiting"),
    ).where(Registration.programme_id == programme_id, Registration.place_taken.is_(True))
    waiting = select(
        Registration.slot_id, none, _offered(now), none, (func.count() - _offered(now).element).label("waiting")
    ).where(Registration.programme_id == programme_id, _waits())
    held = select(Hold.slot_id, none, none, func.count(), none).where(
        Hold.programme_id == programme_id, Hold.expires_at > now
    )
    if slot_ids is not None:
        taken, waiting = (one.where(Registration.slot_id.in_(slot_ids)) for one in (taken, waiting))
        held = held.where(Hold.slot_id.in_(slot_ids))
    grouped = (
        taken.group_by(Registration.slot_id),
        waiting.group_by(Registration.slot_id),
        held.group_by(Hold.slot_id),
    )
    return union_all(*grouped).subquery()


def _counts_by_site(programme_id: str, now: datetime) -> Select[*tuple[Any, ...]]:
    """Return a row a site with its county.

    Slots are counted first, along the index, so that only they are looked up and not each registration.
    """
    counts = _counts_by_slot(programme_id, now)
    return (
        select(
            SlotRow.site_id.label("place"), SiteRow.county, *(func.sum(counts.c[part]).label(part) for part in _PARTS)
        )
        .select_from(counts)
        .join(SlotRow, SlotRow.id == counts.c.slot_id, isouter=True)
        .join(SiteRow, SiteRow.id == SlotRow.site_id, isouter=True)
        .group_by(SlotRow.site_id, SiteRow.county)
    )


def _counts_by_post(programme_id: str, now: datetime) -> Select[*tuple[Any, ...]]:
    """Return up to two rows a post and county; nothing is held where no slot is booked."""
    none = literal(0)
    place = (Registration.post_id.label("place"), Registration.county)
    taken = select(
        *place, func.count().label("taken"), none.label("offered"), none.label("held"), none.label("waiting")
    ).where(Registration.programme_id == programme_id, Registration.place_taken.is_(True))
    waiting = select(
        *place, none, _offered(now), none, (func.count() - _offered(now).element).label("waiting")
    ).where(Registration.programme_id == programme_id, _waits())
    by = (Registration.post_id, Registration.county)
    counts = union_all(taken.group_by(*by), waiting.group_by(*by)).subquery()
    return select(counts)


def _waits() -> ColumnElement[bool]:
    return Registration.status == Status.WAITLISTED.value


def _offered(now: datetime) -> Label[int]:
    return func.coalesce(func.sum(case((Registration.offer_expires_at > now, 1), else_=0)), 0).label("offered")


def _sites_of(programme_id: str) -> Select[*tuple[Any, ...]]:
    """Return the sites that have slots, with the places of the open ones."""
    is_closed = or_(SlotRow.closed, SiteRow.closed)
    return (
        select(SiteRow.id, SiteRow.county, func.sum(case((is_closed, 0), else_=SlotRow.capacity)).label("capacity"))
        .join(SlotRow, SiteRow.id == SlotRow.site_id)
        .where(SlotRow.programme_id == programme_id)
        .group_by(SiteRow.id, SiteRow.county)
    )


def _posts_of(programme_id: str) -> Select[int, int]:
    return select(PostRow.id, PostRow.places.label("capacity")).where(PostRow.programme_id == programme_id)


def _taken_by_programme(ids: Sequence[str]) -> Select[str, int]:
    return (
        select(Registration.programme_id, func.count())
        .where(Registration.programme_id.in_(ids), Registration.place_taken.is_(True))
        .group_by(Registration.programme_id)
    )


def _waiting_by_programme(ids: Sequence[str], now: datetime) -> Select[str, int, int]:
    return (
        select(Registration.programme_id, (func.count() - _offered(now).element).label("waiting"), _offered(now))
        .where(Registration.programme_id.in_(ids), _waits())
        .group_by(Registration.programme_id)
    )


def _held_by_programme(ids: Sequence[str], now: datetime) -> Select[str, int]:
    return (
        select(Hold.programme_id, func.count())
        .where(Hold.programme_id.in_(ids), Hold.expires_at > now)
        .group_by(Hold.programme_id)
    )


def _capacity_by_programme(ids: Sequence[str]) -> Select[str, int]:
    return (
        select(SlotRow.programme_id, func.sum(SlotRow.capacity))
        .join(SiteRow, SiteRow.id == SlotRow.site_id)
        .where(SlotRow.programme_id.in_(ids), SlotRow.closed.is_(False), SiteRow.closed.is_(False))
        .group_by(SlotRow.programme_id)
    )


def _use(row: Any, capacity: int | None = None) -> Use:
    """Return the use that a row of counts tells; ``None`` for a row: nobody."""
    return Use(capacity) if row is None else Use(capacity, **{part: int(getattr(row, part)) for part in _PARTS})


def _sum(groups: Iterable[_Group], capacity: int | None) -> Use:
    counted = [group.use for group in groups]
    return Use(capacity, **{part: sum(getattr(use, part) for use in counted) for part in _PARTS})


def _sums(
    groups: Iterable[_Group], key_of: Callable[[_Group], K | None], capacities: Mapping[K, int]
) -> Mapping[K, Use]:
    """Return the use by key: every key of ``capacities``, and those that have registrations without one."""
    parts: dict[K, list[_Group]] = {key: [] for key in capacities}
    for group in groups:
        key = key_of(group)
        if key is not None:
            parts.setdefault(key, []).append(group)
    return {key: _sum(part, capacities.get(key)) for key, part in parts.items()}
