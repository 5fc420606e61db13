"""Taking back what staff decided by mistake: the registration stands again as it stood, and whoever was told is told.

A decision of the state machine says what is true from now on; taking one back says that it never was. It is a line of
the history like any other, and only the last move can be taken back, by the way it came.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import SlotRow
from bot.programmes.rows import any_row, slot_of
from bot.programmes.rules import slot_start
from bot.registrations.deciding import Deciding, Decision, lacking_place, refuse_second
from bot.registrations.errors import IllegalTransition, MovedSince
from bot.registrations.journal import NO_FOLLOWER, notice, step_back
from bot.registrations.leaving import vacate
from bot.registrations.ledger import Opened
from bot.registrations.models import Notice, Registration, StatusChange
from bot.registrations.outcomes import Moved, NoPlace, TakeBackOutcome
from bot.registrations.places import PlaceKind
from bot.registrations.statuses import CORRECTIONS, STAFF, ActorKind, Status
from bot.registrations.views import HistoryLine

TAKEN_BACK = "taken_back"
"""The reason of the line that takes back, and why a notice that had not gone out yet never will."""
TAKE_BACK_KINDS: tuple[type[TakeBackOutcome], ...] = (Moved, NoPlace)
_HELD_IN_A_SLOT = frozenset({Status.PENDING, Status.RETURNED})
_ABSENT_OR_SERVED = frozenset({Status.NO_SHOW, Status.COMPLETED})


@dataclass(frozen=True, slots=True)
class Mistake:
    """Which decision is meant: who made it, when at the earliest and the latest, and where it led (a status)."""

    by: str
    since: datetime
    until: datetime
    target: Status

    def is_at(self, line: StatusChange) -> bool:
        """Say whether ``line`` is the decision that is meant."""
        made = line.actor_id == self.by and line.target == self.target.value
        return made and self.since <= line.at <= self.until


def last_mistake(history: Sequence[HistoryLine], *, has_come: bool = False) -> Mistake | None:
    """Return what can be taken back of a registration with this history; ``None`` where nothing can.

    ``has_come``: an approved person who was checked in has that taken back first.
    """
    moves = [line for line in history if line.source is not line.target]
    if not moves:
        return None
    last = moves[-1]
    can = last.actor_kind in STAFF and last.reason != TAKEN_BACK and (last.target, last.source) in CORRECTIONS
    if not can or (has_come and last.target is Status.APPROVED):
        return None
    return Mistake(last.actor_id, last.at, last.at, last.target)


@dataclass(frozen=True, slots=True)
class TakingBack:
    """Takes one decision back in the caller's transaction."""

    deciding: Deciding

    async def take_back(
        self, session: AsyncSession, opened: Opened, decision: Decision, mistake: Mistake, now: datetime
    ) -> TakeBackOutcome:
        """Put the registration back to where it stood; see ``ReviewService.take_back``."""
        registration = opened.registration
        line = await _last_move(session, registration)
        if line is None or not mistake.is_at(line):
            raise MovedSince(receipt=registration.receipt)
        status, back = Status(line.target), Status(line.source)
        _check(registration, line, decision)
        if status is Status.NO_SHOW:
            await refuse_second(session, registration)
        holds = _holds_place(opened, back)
        if holds and not registration.place_taken:
            lacking = await _lacking(session, opened, now)
            if lacking is not None and back is Status.APPROVED:
                return lacking
            registration.place_taken = lacking is None
        was_told = await _was_told(session, line)
        _forget_what_it_said(registration, status)
        moved = step_back(registration, back, decision.by, now, reason=decision.reason, note=decision.note)
        session.add(moved)
        if was_told:
            session.add(notice(registration, f"corrected_{back}", now))
        await self.deciding.append_audit(session, decision, moved)
        return Moved(registration.receipt, back, () if holds else await vacate(session, opened, now))


def _check(registration: Registration, line: StatusChange, decision: Decision) -> None:
    status, back = Status(line.target), Status(line.source)
    is_theirs = ActorKind(line.actor_kind) in STAFF and line.reason != TAKEN_BACK
    has_come = status is Status.APPROVED and registration.checked_in_at is not None
    may = decision.by.kind is ActorKind.REVIEWER and (status, back) in CORRECTIONS
    if not (is_theirs and may) or has_come:
        raise IllegalTransition(source=status.value, target=back.value, actor=decision.by.kind.value)


def _holds_place(opened: Opened, status: Status) -> bool:
    """Say whether a registration with that status occupies its place; an applicant's slot is kept from the start."""
    if opened.place is None:
        return False
    return status is Status.APPROVED or (status in _HELD_IN_A_SLOT and opened.place.kind is PlaceKind.SLOT)


async def _lacking(session: AsyncSession, opened: Opened, now: datetime) -> NoPlace | None:
    slot_id = opened.registration.slot_id
    if slot_id is not None and slot_start(slot_of(await any_row(session, SlotRow, slot_id))) <= now:
        # Nobody competes for a time that is past.
        return None
    return await lacking_place(session, opened, opened.registration.post_id, now)


def _forget_what_it_said(registration: Registration, status: Status) -> None:
    """Clear what only the status meant that is taken back."""
    if status is Status.RETURNED:
        registration.returned_items = []
        registration.returned_until = None
    if status is Status.WAITLISTED:
        registration.offer_expires_at = None
    if status in _ABSENT_OR_SERVED:
        registration.served_on = None


async def _was_told(session: AsyncSession, line: StatusChange) -> bool:
    """Say whether the applicant may have read of the move; a notice that has not left is kept back for good."""
    here = (Notice.registration_id == line.registration_id, Notice.version == line.ordinal)
    planned = (await session.scalars(select(Notice).where(*here).with_for_update())).one_or_none()
    if planned is None or planned.given_up == NO_FOLLOWER:
        return False
    # What was given up after an attempt may have arrived all the same.
    if planned.sent_at is not None or planned.leased_until is not None or planned.given_up is not None:
        return True
    planned.given_up = TAKEN_BACK
    return False


async def _last_move(session: AsyncSession, registration: Registration) -> StatusChange | None:
    moves = select(StatusChange).where(
        StatusChange.registration_id == registration.id, StatusChange.source != StatusChange.target
    )
    return (await session.scalars(moves.order_by(StatusChange.ordinal.desc()).limit(1))).one_or_none()
