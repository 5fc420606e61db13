"""Moving a whole slot, because the doctor is away: everybody who has a place there gets one elsewhere, and is told.

A slot is moved in one transaction under the locks of its places and of those that take the people in, so that nobody
is booked in between. It is closed with that, so that nobody comes after.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.errors import UnknownRow
from bot.programmes.models import Programme, ProgrammeRow, Slot, SlotRow
from bot.programmes.rows import any_row, programme_row, slot_of
from bot.programmes.versions import Edit, store_version, trace
from bot.registrations.journal import notice, remark, step
from bot.registrations.models import Registration
from bot.registrations.places import Place, PlaceKind, PlaceLock, SlotState, slot_state
from bot.registrations.statuses import LIVE, Actor, ActorKind, Status
from bot.registrations.waiting import join, settle
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.sql import Database
from bot.values.clock import Clock

MOVED, CANCELLED = "slot_moved", "slot_cancelled"
"""The kinds of the notices: the new time; and that another one has to be chosen."""
CANCEL_REASON: Final = "site_closed"
_WEEKDAYS: Final = "一二三四五六日"


@dataclass(frozen=True, slots=True)
class SlotMove:
    """What staff ask for: where the people of a slot go, in this order. ``cancel_rest``: who finds no room is
    cancelled and asked to choose another time; otherwise nobody is moved unless all fit.
    """

    programme_id: str
    slot_id: int
    targets: tuple[int, ...]
    by: str
    cancel_rest: bool = False
    note: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class SlotEmptied:
    """The slot is closed; how many have a new time, how many were cancelled, how many wait elsewhere now."""

    moved: int
    cancelled: int
    waiting: int


@dataclass(frozen=True, slots=True)
class NoRoom:
    """Nothing was changed: ``people`` have a place there, and the targets have room for ``room``."""

    people: int
    room: int


MoveOutcome = SlotEmptied | NoRoom


class SlotMoving:
    """Empties slots for staff."""

    def __init__(self, database: Database, clock: Clock, lock: PlaceLock, *, trail: AuditWriter) -> None:
        self._database = database
        self._clock = clock
        self._lock = lock
        self._trail = trail

    async def move(self, move: SlotMove) -> MoveOutcome:
        """Carry ``move`` out; done twice, the second time finds nobody. Raises UnknownProgramme, UnknownRow."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            # The programme's row first, as whoever edits slots takes it; bookings lock the slots alone.
            row = await programme_row(session, move.programme_id, lock=True)
            place = _place(move, move.slot_id)
            targets = [_place(move, slot_id) for slot_id in move.targets if slot_id != move.slot_id]
            await self._lock.take(session, [place, *targets])
            if (await any_row(session, SlotRow, move.slot_id)).programme_id != row.id:
                raise UnknownRow(table=SlotRow.__tablename__, id=move.slot_id)
            open_targets = await _open(session, targets, now)
            people = await _people(session, place)
            room = sum(max(0, state.free) for _, state in open_targets)
            if room < len(people) and not move.cancel_rest:
                return NoRoom(len(people), room)
            emptied = await _empty(session, row.document, move, people, open_targets, now)
            changed = await self._close(session, row, move, now)
            if changed or emptied != SlotEmptied(0, 0, 0):
                await self._trail.append(session, _record(move, emptied))
            return emptied

    async def _close(self, session: AsyncSession, row: ProgrammeRow, move: SlotMove, now: datetime) -> bool:
        slot = await any_row(session, SlotRow, move.slot_id)
        if slot.closed:
            return False
        slot.closed = True
        edit = Edit(move.by, move.note, now, [trace(slot_of(slot))])
        store_version(session, row, row.document, edit)
        return True


async def _open(session: AsyncSession, targets: Sequence[Place], now: datetime) -> list[tuple[Place, SlotState]]:
    """Return the targets that can take people in: open, not begun, of the programme."""
    found = [(place, await slot_state(session, place, now)) for place in targets]
    return [(place, state) for place, state in found if state is not None]


async def _people(session: AsyncSession, place: Place) -> list[Registration]:
    """Return who has a place in the slot, in the order in which they came."""
    query = (
        select(Registration)
        .where(
            Registration.slot_id == place.slot_id,
            Registration.place_taken.is_(True),
            Registration.status.in_([status.value for status in LIVE]),
        )
        .order_by(Registration.created_at, Registration.id)
        .with_for_update(key_share=True)
    )
    return list(await session.scalars(query.execution_options(populate_existing=True)))


async def _empty(
    session: AsyncSession,
    programme: Programme,
    move: SlotMove,
    people: Sequence[Registration],
    targets: Sequence[tuple[Place, SlotState]],
    now: datetime,
) -> SlotEmptied:
    actor = Actor(ActorKind.REVIEWER, move.by)
    seats = [state.slot for _, state in targets for _ in range(max(0, state.free))]
    for registration, slot in zip(people, seats, strict=False):
        registration.slot_id = slot.id
        session.add(remark(registration, actor, now, reason=MOVED, note=move.note))
        session.add(notice(registration, MOVED, now, {"when": when_text(slot)}))
    for registration in people[len(seats) :]:
        _cancel(session, registration, actor, move, now)
    await session.flush()
    waiting = await _waiting(session, move)
    for registration in waiting:
        if targets:
            first, state = targets[0]
            registration.slot_id = first.slot_id
            registration.offer_expires_at = None
            await join(session, registration, first)
            session.add(remark(registration, actor, now, reason=MOVED, note=move.note))
            session.add(notice(registration, MOVED, now, {"when": when_text(state.slot)}))
        else:
            _cancel(session, registration, actor, move, now)
        await session.flush()
    for place, _ in targets:
        await settle(session, programme, place, now)
    kept = len(waiting) if targets else 0
    cancelled = max(0, len(people) - len(seats)) + len(waiting) - kept
    return SlotEmptied(min(len(people), len(seats)), cancelled, kept)


async def _waiting(session: AsyncSession, move: SlotMove) -> list[Registration]:
    """Return who waits for the slot, in their order."""
    query = (
        select(Registration)
        .where(Registration.slot_id == move.slot_id, Registration.status == Status.WAITLISTED.value)
        .order_by(Registration.offers_lapsed, Registration.waitlist_seq)
        .with_for_update(key_share=True)
    )
    return list(await session.scalars(query.execution_options(populate_existing=True)))


def _cancel(session: AsyncSession, registration: Registration, actor: Actor, move: SlotMove, now: datetime) -> None:
    session.add(step(registration, Status.CANCELLED, actor, now, reason=CANCEL_REASON, note=move.note))
    session.add(notice(registration, CANCELLED, now))
    registration.place_taken = False
    registration.offer_expires_at = None


def _place(move: SlotMove, slot_id: int) -> Place:
    return Place(PlaceKind.SLOT, move.programme_id, slot_id)


def _record(move: SlotMove, emptied: SlotEmptied) -> AuditRecord:
    reason = f"{emptied.moved}/{emptied.cancelled}/{emptied.waiting}:{move.note}"
    action = "registrations:slot:move"
    return AuditRecord(move.by, action, "slot", str(move.slot_id), reason, move.source)


def when_text(slot: Slot) -> str:
    """Return a slot's time as people read it: 6月20日（周六）8:30."""
    day = slot.day
    return f"{day.month}月{day.day}日（周{_WEEKDAYS[day.weekday()]}）{slot.start.hour}:{slot.start.minute:02d}"
