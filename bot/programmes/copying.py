"""A programme as the pattern of the next one: everything moves by the same number of days."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import PostRow, Programme, ProgrammeKind, ProgrammeStatus, SiteRow, SlotRow
from bot.programmes.rows import fields_of, post_of, site_of, slot_of

_PREFIXES = {
    ProgrammeKind.WORK_STUDY: "study",
    ProgrammeKind.HEALTH_SCREENING: "screening",
    ProgrammeKind.LEGAL_CONSULTATION: "legal",
}


@dataclass(frozen=True, slots=True)
class Copying:
    """Which rows a copy takes along. ``days`` is how much later everything in it is."""

    days: int
    sites: bool = True
    slots: bool = False
    posts: bool = True


def copy_of(source: Programme, new_id: str, title: str, days: int) -> Programme:
    """Return a draft like ``source``, everything ``days`` later; its consents are the same ones."""
    later = timedelta(days=days)
    return replace(
        source,
        id=new_id,
        title=title,
        status=ProgrammeStatus.DRAFT,
        version=0,
        open_at=source.open_at + later,
        close_at=source.close_at + later,
        service_start=source.service_start + later,
        service_end=source.service_end + later,
        age_base_date=None if source.age_base_date is None else source.age_base_date + later,
    )


def new_id(kind: ProgrammeKind, service_start: date, key: str) -> str:
    """Return the id of a new programme; the same ``key`` gives the same id, so that it is made once."""
    return f"{_PREFIXES[kind]}-{service_start:%y%m%d}-{sha256(key.encode()).hexdigest()[:6]}"


def days_between(source: Programme, service_start: date) -> int:
    """Return how many days later a copy is whose service begins on ``service_start``."""
    return (service_start - source.service_start).days


async def copy_rows(session: AsyncSession, source_id: str, target: Programme, copying: Copying) -> None:
    """Copy the rows of ``source_id`` to ``target``, which is stored already; closed slots stay behind."""
    if copying.posts:
        posts = await session.scalars(select(PostRow).where(PostRow.programme_id == source_id).order_by(PostRow.id))
        session.add_all([PostRow(**fields_of(replace(post_of(row), programme_id=target.id))) for row in posts])
    if copying.sites:
        sites = await session.scalars(select(SiteRow).where(SiteRow.programme_id == source_id).order_by(SiteRow.id))
        copies = {row.id: SiteRow(**fields_of(replace(site_of(row), programme_id=target.id))) for row in sites}
        session.add_all(copies.values())
        await session.flush()
        if copying.slots:
            await _copy_slots(session, source_id, target, {old: new.id for old, new in copies.items()}, copying.days)


async def _copy_slots(
    session: AsyncSession, source_id: str, target: Programme, site_ids: dict[int, int], days: int
) -> None:
    query = select(SlotRow).where(SlotRow.programme_id == source_id, SlotRow.closed.is_(False)).order_by(SlotRow.id)
    for row in await session.scalars(query):
        slot = slot_of(row)
        moved = replace(
            slot, programme_id=target.id, site_id=site_ids[slot.site_id], day=slot.day + timedelta(days=days)
        )
        session.add(SlotRow(**fields_of(moved)))
