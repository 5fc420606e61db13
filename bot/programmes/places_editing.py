"""What staff do to sites, slots and posts. Each step is a version and a row of the trail."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.editing import By
from bot.programmes.errors import UnknownRow
from bot.programmes.models import Post, PostRow, ProgrammeRow, Site, SiteRow, Slot, SlotRow
from bot.programmes.rows import any_row, fields_of, programme_row, slot_of
from bot.programmes.slot_plan import SlotPlan, run_into
from bot.programmes.versions import Edit, store_version, trace
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock
from bot.values.problem import Problem

CODE_TAKEN = "programme.code_taken"


@dataclass(frozen=True, slots=True)
class PlanView:
    """What a plan would do: slots to make, slots that are there already, and those that run into another one."""

    new: tuple[Slot, ...]
    existing: tuple[Slot, ...]
    colliding: tuple[Slot, ...]


class PlaceEditor:
    """Sites, slots and posts of programmes."""

    def __init__(self, database: Database, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._trail = trail

    # Sites and posts

    async def save_site(self, site: Site, by: By) -> Site | Problem:
        """Store a new site (``id`` 0) or a changed one; raises UnknownProgramme, UnknownRow."""
        async with self._database.transaction() as session:
            programme = await programme_row(session, site.programme_id, lock=True)
            others = select(SiteRow.id).where(SiteRow.programme_id == site.programme_id, SiteRow.code == site.code)
            if (await session.scalars(others.where(SiteRow.id != site.id))).first() is not None:
                return Problem(CODE_TAKEN, {"code": site.code})
            row = await _stored_row(session, SiteRow, site)
            stored = replace(site, id=row.id)
            await self._version(session, programme, by, "site", [stored])
            return stored

    async def save_post(self, post: Post, by: By) -> Post | Problem:
        """Store a new post (``id`` 0) or a changed one; raises UnknownProgramme, UnknownRow."""
        async with self._database.transaction() as session:
            programme = await programme_row(session, post.programme_id, lock=True)
            others = select(PostRow.id).where(PostRow.programme_id == post.programme_id, PostRow.code == post.code)
            if (await session.scalars(others.where(PostRow.id != post.id))).first() is not None:
                return Problem(CODE_TAKEN, {"code": post.code})
            row = await _stored_row(session, PostRow, post)
            stored = replace(post, id=row.id)
            await self._version(session, programme, by, "post", [stored])
            return stored

    # Slots

    async def preview(self, plan: SlotPlan) -> PlanView:
        """Return what carrying out ``plan`` would do now; raises UnknownRow for a site of another programme."""
        async with self._database.reading() as session:
            return await _compare(session, plan)

    async def carry_out(self, plan: SlotPlan, by: By) -> PlanView:
        """Make the slots that are not there yet; doing it twice makes none twice. Returns what was done.

        Raises UnknownProgramme, UnknownRow.
        """
        async with self._database.transaction() as session:
            programme = await programme_row(session, plan.programme_id, lock=True)
            view = await _compare(session, plan)
            if not view.new:
                return view
            rows = [SlotRow(**fields_of(slot)) for slot in view.new]
            session.add_all(rows)
            await session.flush()
            made = tuple(slot_of(row) for row in rows)
            await self._version(session, programme, by, "slots", made)
            return replace(view, new=made)

    async def change_slots(
        self,
        programme_id: str,
        slot_ids: Collection[int],
        by: By,
        *,
        capacity: int | None = None,
        closed: bool | None = None,
    ) -> int:
        """Give slots another capacity, close or open them; return how many changed. Raises UnknownProgramme.

        A capacity below what is taken is accepted: nobody loses a place, and none becomes free until it fits again.
        """
        chosen = select(SlotRow).where(SlotRow.programme_id == programme_id, SlotRow.id.in_(slot_ids))
        async with self._database.transaction() as session:
            programme = await programme_row(session, programme_id, lock=True)
            changed = []
            for row in await session.scalars(chosen.order_by(SlotRow.id).with_for_update(key_share=True)):
                before = slot_of(row)
                row.capacity = row.capacity if capacity is None else capacity
                row.closed = row.closed if closed is None else closed
                if slot_of(row) != before:
                    changed.append(slot_of(row))
            if changed:
                await self._version(session, programme, by, "slots", changed)
            return len(changed)

    async def slots_on(self, programme_id: str, *, day: date | None = None, site_id: int | None = None) -> list[int]:
        """Return the ids of the open slots on a day, or at a site, or both, for ``change_slots``."""
        query = select(SlotRow.id).where(SlotRow.programme_id == programme_id, SlotRow.closed.is_(False))
        if day is not None:
            query = query.where(SlotRow.day == day)
        if site_id is not None:
            query = query.where(SlotRow.site_id == site_id)
        async with self._database.reading() as session:
            return list(await session.scalars(query.order_by(SlotRow.id)))

    async def _version(
        self, session: AsyncSession, row: ProgrammeRow, by: By, what: str, changed: Sequence[Site | Slot | Post]
    ) -> None:
        edit = Edit(by.username, by.note, self._clock.now(), [trace(value) for value in changed])
        store_version(session, row, row.document, edit)
        reason = f"{len(changed)}:{by.note}" if by.note else str(len(changed))
        action = f"programmes:{what}:edit"
        await self._trail.append(session, AuditRecord(by.username, action, "programme", row.id, reason, by.source))


async def _stored_row(
    session: AsyncSession, table: type[SiteRow] | type[PostRow], value: Site | Post
) -> SiteRow | PostRow:
    if value.id == 0:
        row = table(**fields_of(value))
        session.add(row)
        await session.flush()
        return row
    row = await any_row(session, table, value.id, lock=True)
    if row.programme_id != value.programme_id:
        raise UnknownRow(table=table.__tablename__, id=value.id)
    for name, column in fields_of(value).items():
        setattr(row, name, column)
    return row


async def _compare(session: AsyncSession, plan: SlotPlan) -> PlanView:
    mine = select(SiteRow.id).where(SiteRow.programme_id == plan.programme_id, SiteRow.id.in_(plan.site_ids))
    known = set(await session.scalars(mine))
    if unknown := set(plan.site_ids) - known:
        raise UnknownRow(table=SiteRow.__tablename__, id=min(unknown))
    there: dict[tuple[int, date], list[Slot]] = defaultdict(list)
    query = select(SlotRow).where(SlotRow.programme_id == plan.programme_id, SlotRow.site_id.in_(plan.site_ids))
    for row in await session.scalars(query.where(SlotRow.day.between(min(plan.days), max(plan.days)))):
        there[row.site_id, row.day].append(slot_of(row))
    new, existing, colliding = [], [], []
    for slot in plan.slots:
        beside = there[slot.site_id, slot.day]
        if any(one.start == slot.start for one in beside):
            existing.append(slot)
        elif run_into(slot, beside):
            colliding.append(slot)
        else:
            new.append(slot)
    return PlanView(tuple(new), tuple(existing), tuple(colliding))
