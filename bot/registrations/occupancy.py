"""How full programmes are at this moment, for staff: by slot, site, county and post, in a constant number of queries.

Nothing is locked, so that it is a picture and no promise; places are given away by ``places`` alone.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import ColumnElement, Label, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import PostRow, Programme, SiteRow, SlotRow
from bot.registrations.models import Hold, Registration
from bot.registrations.statuses import Status
from bot.storage.sql import Database
from bot.values.clock import Clock

K = TypeVar("K", int, str)


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
    """A programme's use. What is closed adds no capacity to ``total``, ``by_site`` and ``by_county``."""

    total: Use
    by_slot: Mapping[int, Use]
    by_site: Mapping[int, Use]
    by_county: Mapping[str, Use]
    by_post: Mapping[int, Use]


@dataclass(frozen=True, slots=True)
class _Group:
    """Some registrations or holds of one kind that share slot, county and post."""

    slot_id: int | None
    county: str | None
    post_id: int | None
    taken: int = 0
    offered: int = 0
    held: int = 0
    waiting: int = 0


class Occupancy:
    """Counts from the registrations themselves; there is no counter that could drift."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def of(self, programme: Programme) -> ProgrammeUse:
        """Return how full ``programme`` is, in five queries."""
        now = self._clock.now()
        async with self._database.reading() as session:
            groups = await _groups(session, programme.id, now)
            slots = (await session.execute(_slots_of(programme.id))).all()
            posts = (await session.execute(_posts_of(programme.id))).all()
        by_slot = _sums(groups, lambda group: group.slot_id, {row.id: row.capacity for row in slots})
        open_places: dict[int, int] = defaultdict(int)
        county_places: dict[str, int] = defaultdict(int)
        for row in slots:
            open_places[row.site_id] += 0 if row.is_closed else row.capacity
            county_places[row.county] += 0 if row.is_closed else row.capacity
        site_of = {row.id: row.site_id for row in slots}
        county_of = {row.id: row.county for row in slots}
        books = programme.kind.books_slots
        counties = county_places if books else dict(programme.quota_by_county)
        total = sum(county_places.values()) if books else programme.quota_total
        return ProgrammeUse(
            total=_sum(groups, total),
            by_slot=by_slot,
            by_site=_sums(groups, lambda group: site_of.get(group.slot_id or 0), open_places),
            by_county=_sums(
                groups, lambda group: county_of.get(group.slot_id or 0) if books else group.county, counties
            ),
            by_post=_sums(groups, lambda group: group.post_id, {row.id: row.places for row in posts}),
        )

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


async def _groups(session: AsyncSession, programme_id: str, now: datetime) -> list[_Group]:
    columns = (Registration.slot_id, Registration.county, Registration.post_id)
    mine = Registration.programme_id == programme_id
    taken = select(*columns, func.count().label("taken")).where(mine, Registration.place_taken.is_(True))
    waiting = select(*columns, func.count().label("waiting"), _offered(now)).where(mine, _waits())
    held = select(Hold.slot_id, func.count().label("held")).where(
        Hold.programme_id == programme_id, Hold.expires_at > now
    )
    groups = [
        _Group(row.slot_id, row.county, row.post_id, taken=row.taken)
        for row in await session.execute(taken.group_by(*columns))
    ]
    groups += [
        _Group(row.slot_id, row.county, row.post_id, offered=row.offered, waiting=row.waiting - row.offered)
        for row in await session.execute(waiting.group_by(*columns))
    ]
    groups += [
        _Group(row.slot_id, None, None, held=row.held) for row in await session.execute(held.group_by(Hold.slot_id))
    ]
    return groups


def _waits() -> ColumnElement[bool]:
    return Registration.status == Status.WAITLISTED.value


def _offered(now: datetime) -> Label[int]:
    return func.coalesce(func.sum(case((Registration.offer_expires_at > now, 1), else_=0)), 0).label("offered")


def _slots_of(programme_id: str) -> Select[int, int, int, str, bool]:
    return (
        select(
            SlotRow.id,
            SlotRow.site_id,
            SlotRow.capacity,
            SiteRow.county,
            or_(SlotRow.closed, SiteRow.closed).label("is_closed"),
        )
        .join(SiteRow, SiteRow.id == SlotRow.site_id)
        .where(SlotRow.programme_id == programme_id)
    )


def _posts_of(programme_id: str) -> Select[int, int]:
    return select(PostRow.id, PostRow.places).where(PostRow.programme_id == programme_id)


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


def _sum(groups: Iterable[_Group], capacity: int | None) -> Use:
    counted = list(groups)
    return Use(
        capacity,
        taken=sum(group.taken for group in counted),
        offered=sum(group.offered for group in counted),
        held=sum(group.held for group in counted),
        waiting=sum(group.waiting for group in counted),
    )


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
