"""How a decision of staff is carried out: opened under its locks, checked, moved, announced, audited, all at once."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import SlotRow
from bot.programmes.rows import any_row
from bot.registrations.calls import Calls
from bot.registrations.errors import AlreadyRegistered, IllegalTransition, NotDueYet, UnknownRegistration
from bot.registrations.journal import notice, remark, step
from bot.registrations.leaving import has_offer, vacate
from bot.registrations.ledger import Ledger, Opened
from bot.registrations.models import Notice, Registration, StatusChange
from bot.registrations.outcomes import Moved, NoPlace
from bot.registrations.places import PlaceKind, Wish, missing_in_quota, slot_state
from bot.registrations.reasons import ReasonTable
from bot.registrations.statuses import AGAIN_ALLOWED, STAFF, Actor, Status, check_transition
from bot.registrations.submitting import post_is_open
from bot.registrations.waiting import position_of
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.values.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What somebody of the staff decides about a registration.

    ``reason`` is a code of ``reasons.yml``; ``note`` is for colleagues and holds no values of the applicant;
    ``source`` is the address it came from; ``key`` makes it repeatable.
    """

    receipt: str
    by: Actor
    key: str
    reason: str
    note: str = ""
    source: str = ""


Work = Callable[[AsyncSession, Opened, datetime], Awaitable[Moved]]


@dataclass(frozen=True, slots=True)
class Deciding:
    """What every decision needs. A decision is one transaction and can be repeated with its key."""

    calls: Calls
    ledger: Ledger
    audit: AuditWriter
    reasons: ReasonTable
    clock: Clock

    async def once(self, call: str, decision: Decision, work: Work) -> Moved:
        """Do ``work`` on the opened registration, or return what it did when the key was used before."""

        async def opened_work(session: AsyncSession) -> Moved:
            return await work(session, await self.open(session, decision), self.clock.now())

        return await self.calls.once(call, decision.key, (Moved,), opened_work)

    async def leave(self, call: str, decision: Decision, target: Status) -> Moved:
        """Move to ``target`` and free the place; what waits for it moves up."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            return await self.leave_now(session, opened, target, decision, now)

        return await self.once(call, decision, work)

    async def leave_now(
        self, session: AsyncSession, opened: Opened, target: Status, decision: Decision, now: datetime
    ) -> Moved:
        """Move the opened registration to ``target`` and free the place; what waits for it moves up."""
        moved = await self.move(session, opened, target, decision, now)
        return Moved(moved.receipt, moved.status, await vacate(session, opened, now))

    async def open(self, session: AsyncSession, decision: Decision) -> Opened:
        """Return the registration, locked with its place; raises UnknownRegistration, PlaceMoved."""
        opened = await self.ledger.open(session, decision.receipt)
        if opened is None:
            raise UnknownRegistration(receipt=decision.receipt)
        return opened

    def check(self, registration: Registration, target: Status, decision: Decision) -> None:
        """Raise IllegalTransition, ReasonMissing or UnknownReason unless the decision may lead to ``target``."""
        check_transition(Status(registration.status), target, decision.by.kind, decision.reason)
        self.reasons.check(decision.reason, target)

    async def move(
        self, session: AsyncSession, opened: Opened, target: Status, decision: Decision, now: datetime
    ) -> Moved:
        """Move the registration, with its history line, the notice to the applicant and the audit row."""
        registration = opened.registration
        self.check(registration, target, decision)
        line = step(registration, target, decision.by, now, reason=decision.reason, note=decision.note)
        session.add(line)
        await session.flush()
        session.add(await _announcement(session, registration, decision.reason, now))
        await self.append_audit(session, decision, line)
        return Moved(registration.receipt, target)

    async def remark(
        self,
        session: AsyncSession,
        opened: Opened,
        decision: Decision,
        now: datetime,
        *,
        among: set[Status],
        announce: str | None = None,
    ) -> Moved:
        """Note a change that leaves the status as it is; ``announce`` is the kind of notice that tells of it."""
        registration = opened.registration
        status = Status(registration.status)
        if status not in among or decision.by.kind not in STAFF:
            raise IllegalTransition(source=status.value, target=status.value, actor=decision.by.kind.value)
        line = remark(registration, decision.by, now, reason=decision.reason, note=decision.note)
        session.add(line)
        if announce is not None:
            session.add(notice(registration, announce, now))
        await self.append_audit(session, decision, line)
        return Moved(registration.receipt, status)

    async def append_audit(self, session: AsyncSession, decision: Decision, line: StatusChange) -> None:
        """Note in the trail what a line of the history says."""
        moved = f"{line.source}>{line.target}" if line.source != line.target else "remark"
        await self.audit.append(
            session,
            AuditRecord(
                actor=decision.by.id,
                action=f"registration:{moved}",
                object_kind="registration",
                object_id=decision.receipt,
                reason=decision.reason,
                source=decision.source,
            ),
        )


async def lacking_place(session: AsyncSession, opened: Opened, post_id: int | None, now: datetime) -> NoPlace | None:
    """Return what is full, or ``None``. What the registration occupies or was offered itself is its own."""
    registration, place = opened.registration, opened.place
    if place is None or registration.place_taken:
        return None
    if place.kind is PlaceKind.SLOT:
        state = None if has_offer(registration, now) else await slot_state(session, place, now)
        free = has_offer(registration, now) or (state is not None and state.free > 0)
        return None if free else NoPlace("slot")
    return await lacking_in_quota(session, opened, post_id, now)


async def lacking_in_quota(
    session: AsyncSession, opened: Opened, post_id: int | None, now: datetime
) -> NoPlace | None:
    """Return which quota has no place left for the post (its wish where ``None``), or ``None`` when there is one."""
    registration, programme = opened.registration, opened.programme
    if not await post_is_open(session, programme, post_id):
        return NoPlace("post")
    wish = Wish(registration.id, registration.county, post_id or registration.post_id)
    return await missing_in_quota(session, programme, wish, now)


async def check_due(session: AsyncSession, registration: Registration, now: datetime) -> None:
    """Raise NotDueYet while the day of the appointment is still to come."""
    if registration.slot_id is None:
        return
    day = (await any_row(session, SlotRow, registration.slot_id)).day
    if day > now.date():
        raise NotDueYet(day=day.isoformat())


async def refuse_second(session: AsyncSession, registration: Registration) -> None:
    """Raise AlreadyRegistered when another registration of the person counts in this programme."""
    others = select(Registration.id).where(
        Registration.programme_id == registration.programme_id,
        Registration.subject_hash == registration.subject_hash,
        Registration.id != registration.id,
        Registration.status.not_in([status.value for status in AGAIN_ALLOWED]),
    )
    if (await session.execute(others.limit(1))).scalar_one_or_none() is not None:
        raise AlreadyRegistered(programme_id=registration.programme_id)


async def _announcement(session: AsyncSession, registration: Registration, reason: str, now: datetime) -> Notice:
    until = registration.returned_until
    match Status(registration.status):
        case Status.RETURNED:
            fields = {"items": list(registration.returned_items), "until": until.isoformat() if until else ""}
            return notice(registration, "returned", now, {"reason": reason, **fields})
        case Status.WAITLISTED:
            return notice(registration, "waitlisted", now, {"position": await position_of(session, registration)})
        case status:
            return notice(registration, status.value, now, {"reason": reason})
