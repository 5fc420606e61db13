"""Registrations as lists and conversations see them: masked, with slot, post and rank."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import Post, PostRow, Programme, ProgrammeKind, ProgrammeRow, Site, SiteRow, Slot, SlotRow
from bot.programmes.rows import post_of, site_of, slot_of
from bot.programmes.rules import change_deadline
from bot.registrations.materials import missing_materials
from bot.registrations.missing_items import files_among, labels_of
from bot.registrations.models import Registration, StatusChange
from bot.registrations.sealing import Sealer
from bot.registrations.statuses import LIVE, ActorKind, Status
from bot.registrations.waiting import position_of


@dataclass(frozen=True, slots=True)
class RegistrationView:
    """A registration, masked.

    ``change_deadline``: until when the slot can be changed or cancelled by oneself. ``missing``: codes of files still
    to hand in. ``returned_labels``: what ``returned_items`` are called; ``returned_files``: the files among
    them. ``last_reason``: the reason code of the latest change, a key of ``reasons.yml``.
    """

    receipt: str
    programme_id: str
    programme_title: str
    programme_version: int
    kind: ProgrammeKind
    status: Status
    openid: str
    relation: str
    name_masked: str
    phone_masked: str
    id_number_masked: str
    county: str | None
    slot: Slot | None
    site: Site | None
    post: Post | None
    waitlist_position: int | None
    offer_expires_at: datetime | None
    change_deadline: datetime | None
    returned_items: tuple[str, ...]
    returned_labels: tuple[str, ...]
    returned_files: tuple[str, ...]
    returned_until: datetime | None
    missing: tuple[str, ...]
    findings: tuple[str, ...]
    qualified: bool
    needs_review: bool
    priority: int
    last_reason: str | None
    checked_in_at: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One line of a registration's history; ``source`` equals ``target`` where the status stayed."""

    at: datetime
    actor_kind: ActorKind
    actor_id: str
    source: Status
    target: Status
    reason: str | None
    note: str


R = TypeVar("R", SiteRow, SlotRow, PostRow)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The rows that a page of registrations points to, each read once."""

    programmes: Mapping[str, Programme]
    slots: Mapping[int, SlotRow]
    sites: Mapping[int, SiteRow]
    posts: Mapping[int, PostRow]


async def views_of(
    session: AsyncSession, sealer: Sealer, today: date, registrations: Sequence[Registration]
) -> tuple[RegistrationView, ...]:
    """Return a view of each, in the same order."""
    near = await neighbours_of(session, registrations)
    return tuple([await _view(session, sealer, today, registration, near) for registration in registrations])


async def neighbours_of(session: AsyncSession, registrations: Sequence[Registration]) -> Neighbours:
    """Return the rows that ``registrations`` point to, in one query a table."""
    ids = {registration.programme_id for registration in registrations}
    rows = await session.scalars(select(ProgrammeRow).where(ProgrammeRow.id.in_(ids)))
    slots = await _by_id(session, SlotRow, {r.slot_id for r in registrations if r.slot_id is not None})
    return Neighbours(
        programmes={row.id: row.document for row in rows},
        slots=slots,
        sites=await _by_id(session, SiteRow, {slot.site_id for slot in slots.values()}),
        posts=await _by_id(session, PostRow, {r.post_id for r in registrations if r.post_id is not None}),
    )


async def _by_id(session: AsyncSession, table: type[R], ids: Collection[int]) -> Mapping[int, R]:
    if not ids:
        return {}
    return {row.id: row for row in await session.scalars(select(table).where(table.id.in_(ids)))}


async def _view(
    session: AsyncSession, sealer: Sealer, today: date, registration: Registration, near: Neighbours
) -> RegistrationView:
    programme = near.programmes[registration.programme_id]
    slot_row = near.slots.get(registration.slot_id) if registration.slot_id is not None else None
    slot = slot_of(slot_row) if slot_row is not None else None
    post = near.posts.get(registration.post_id) if registration.post_id is not None else None
    status = Status(registration.status)
    return RegistrationView(
        receipt=registration.receipt,
        programme_id=registration.programme_id,
        programme_title=programme.title,
        programme_version=registration.programme_version,
        kind=programme.kind,
        status=status,
        openid=registration.openid,
        relation=registration.relation,
        name_masked=registration.name_masked,
        phone_masked=registration.phone_masked,
        id_number_masked=registration.id_number_masked,
        county=registration.county,
        slot=slot,
        site=site_of(near.sites[slot.site_id]) if slot is not None else None,
        post=post_of(post) if post is not None else None,
        waitlist_position=await position_of(session, registration),
        offer_expires_at=registration.offer_expires_at,
        change_deadline=change_deadline(programme, slot) if slot is not None else None,
        returned_items=tuple(registration.returned_items),
        returned_labels=labels_of(programme, registration.returned_items),
        returned_files=files_among(programme, registration.returned_items),
        returned_until=registration.returned_until,
        missing=await missing_materials(session, sealer, registration, programme, today) if status in LIVE else (),
        findings=tuple(registration.findings),
        qualified=registration.qualified,
        needs_review=registration.needs_review,
        priority=registration.priority,
        last_reason=await _last_reason(session, registration),
        checked_in_at=registration.checked_in_at,
        created_at=registration.created_at,
        updated_at=registration.updated_at,
    )


async def _last_reason(session: AsyncSession, registration: Registration) -> str | None:
    query = (
        select(StatusChange.reason)
        .where(StatusChange.registration_id == registration.id, StatusChange.source != StatusChange.target)
        .order_by(StatusChange.ordinal.desc())
        .limit(1)
    )
    return (await session.execute(query)).scalar_one_or_none()


async def history_of(session: AsyncSession, receipt: str) -> tuple[HistoryLine, ...]:
    """Return the whole history of a registration, the oldest line first."""
    query = (
        select(StatusChange)
        .join(Registration, Registration.id == StatusChange.registration_id)
        .where(Registration.receipt == receipt)
        .order_by(StatusChange.ordinal)
    )
    return tuple(
        HistoryLine(
            at=line.at,
            actor_kind=ActorKind(line.actor_kind),
            actor_id=line.actor_id,
            source=Status(line.source),
            target=Status(line.target),
            reason=line.reason,
            note=line.note,
        )
        for line in await session.scalars(query)
    )
