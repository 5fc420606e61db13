"""Registrations as staff work on them: review, places, attendance.

Only a person rejects: nothing in this project calls ``reject`` but a member of staff. Every write is one transaction
with its audit row, and can be repeated with its key.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import SlotRow
from bot.programmes.rows import any_row
from bot.registrations.calls import Calls
from bot.registrations.errors import AlreadyRegistered, IllegalTransition, UnknownRegistration
from bot.registrations.journal import notice, remark, step
from bot.registrations.leaving import has_offer, vacate
from bot.registrations.ledger import Ledger, Opened
from bot.registrations.models import Notice, Registration, StatusChange
from bot.registrations.outcomes import ApproveOutcome, Moved, NoPlace
from bot.registrations.places import PlaceKind, PlaceLock, Wish, missing_in_quota, slot_state
from bot.registrations.reasons import ReasonTable
from bot.registrations.sealing import Sealer
from bot.registrations.statuses import AGAIN_ALLOWED, STAFF, Actor, Status, check_transition
from bot.registrations.submitting import post_is_open
from bot.registrations.waiting import join, position_of, settle
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
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


_APPROVE_KINDS: tuple[type[ApproveOutcome], ...] = (Moved, NoPlace)

_Work = Callable[[AsyncSession, Opened, datetime], Awaitable[Moved]]


class ReviewService:
    """The services that the console and the sites call.

    All raise UnknownRegistration, UnknownReason, ReasonMissing and IllegalTransition (the table has no such move for
    this actor), and PlaceMoved, after which the same call can be repeated.
    """

    def __init__(
        self,
        database: Database,
        cipher: FieldCipher,
        clock: Clock,
        lock: PlaceLock,
        *,
        audit: AuditWriter,
        reasons: ReasonTable,
    ) -> None:
        self._clock = clock
        self._calls = Calls(database, clock)
        self._ledger = Ledger(Sealer(cipher), lock, clock)
        self._audit = audit
        self._reasons = reasons

    # Decisions

    async def approve(self, decision: Decision, *, post_id: int | None = None) -> ApproveOutcome:
        """Approve and take the place, in one transaction; ``post_id`` is the post that people decided on."""

        async def work(session: AsyncSession) -> ApproveOutcome:
            opened, now = await self._open(session, decision), self._clock.now()
            registration = opened.registration
            self._check(registration, Status.APPROVED, decision)
            lacking = await _lacking(session, opened, post_id, now)
            if lacking is not None:
                return lacking
            registration.post_id = post_id or registration.post_id
            registration.place_taken = opened.place is not None
            registration.offer_expires_at = None
            registration.qualified = True
            return await self._move(session, opened, Status.APPROVED, decision, now)

        return await self._calls.once("approve", decision.key, _APPROVE_KINDS, work)

    async def return_(self, decision: Decision, *, items: Sequence[str], until: datetime) -> Moved:
        """Send back with everything that is missing at once (``items``: codes) and the moment it is due."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            opened.registration.returned_items = list(items)
            opened.registration.returned_until = until
            return await self._move(session, opened, Status.RETURNED, decision, now)

        return await self._once("return", decision, work)

    async def reject(self, decision: Decision) -> Moved:
        """Reject, with a reason that the applicant reads; a place becomes free."""
        return await self._leave("reject", decision, Status.REJECTED)

    async def cancel(self, decision: Decision) -> Moved:
        """Cancel for the applicant or the union, whenever; a place becomes free."""
        return await self._leave("staff_cancel", decision, Status.CANCELLED)

    async def no_show(self, decision: Decision) -> Moved:
        """Record that somebody did not come."""
        return await self._leave("no_show", decision, Status.NO_SHOW)

    async def waitlist(self, decision: Decision) -> Moved:
        """Put a qualified registration on the waiting list; a place that it held becomes free."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            registration = opened.registration
            if opened.place is None:
                raise IllegalTransition(source=registration.status, target="waitlisted", actor=decision.by.kind.value)
            registration.qualified = True
            registration.offers_lapsed = 0
            await join(session, registration, opened.place)
            moved = await self._move(session, opened, Status.WAITLISTED, decision, now)
            return Moved(moved.receipt, moved.status, await vacate(session, opened, now))

        return await self._once("waitlist", decision, work)

    async def reopen(self, decision: Decision) -> Moved:
        """Take a rejected registration up again."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            return await self._move(session, opened, Status.PENDING, decision, now)

        return await self._once("reopen", decision, work)

    async def complete(self, decision: Decision) -> Moved:
        """Record that the service was done, also afterwards for somebody marked as absent.

        Raises AlreadyRegistered when an absent person has registered anew meanwhile.
        """

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            registration = opened.registration
            if registration.status == Status.NO_SHOW.value:
                await _refuse_second(session, registration)
            slot_id = registration.slot_id
            registration.served_on = now.date() if slot_id is None else (await any_row(session, SlotRow, slot_id)).day
            return await self._move(session, opened, Status.COMPLETED, decision, now)

        return await self._once("complete", decision, work)

    # Work that leaves the status as it is

    async def check_in(self, decision: Decision) -> Moved:
        """Record that an approved person has come."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            opened.registration.checked_in_at = now
            return await self._remark(session, opened, decision, now, among={Status.APPROVED})

        return await self._once("check_in", decision, work)

    async def requeue(self, decision: Decision) -> Moved:
        """Let a waiting registration move up by itself (again): a person looked at it, or an offer had run out."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            opened.registration.qualified = True
            opened.registration.offers_lapsed = 0
            moved = await self._remark(session, opened, decision, now, among={Status.WAITLISTED})
            if opened.place is None:
                return moved
            settled = await settle(session, opened.programme, opened.place, now)
            return Moved(moved.receipt, moved.status, settled.promoted)

        return await self._once("requeue", decision, work)

    async def assign_post(self, decision: Decision, post_id: int) -> ApproveOutcome:
        """Give an approved registration another post, if it has a place left."""

        async def work(session: AsyncSession) -> ApproveOutcome:
            opened, now = await self._open(session, decision), self._clock.now()
            lacking = await _lacking_in_quota(session, opened, post_id, now)
            if lacking is not None:
                return lacking
            opened.registration.post_id = post_id
            return await self._remark(session, opened, decision, now, among={Status.APPROVED})

        return await self._calls.once("assign_post", decision.key, _APPROVE_KINDS, work)

    async def confirm_changes(self, decision: Decision) -> Moved:
        """Record that a name or number changed after approval was checked."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            opened.registration.needs_review = False
            return await self._remark(session, opened, decision, now, among={Status.APPROVED})

        return await self._once("confirm_changes", decision, work)

    # How each of them is done

    async def _once(self, call: str, decision: Decision, work: _Work) -> Moved:
        async def opened_work(session: AsyncSession) -> Moved:
            return await work(session, await self._open(session, decision), self._clock.now())

        return await self._calls.once(call, decision.key, (Moved,), opened_work)

    async def _leave(self, call: str, decision: Decision, target: Status) -> Moved:
        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            moved = await self._move(session, opened, target, decision, now)
            return Moved(moved.receipt, moved.status, await vacate(session, opened, now))

        return await self._once(call, decision, work)

    async def _open(self, session: AsyncSession, decision: Decision) -> Opened:
        opened = await self._ledger.open(session, decision.receipt)
        if opened is None:
            raise UnknownRegistration(receipt=decision.receipt)
        return opened

    def _check(self, registration: Registration, target: Status, decision: Decision) -> None:
        check_transition(Status(registration.status), target, decision.by.kind, decision.reason)
        self._reasons.check(decision.reason, target)

    async def _move(
        self, session: AsyncSession, opened: Opened, target: Status, decision: Decision, now: datetime
    ) -> Moved:
        registration = opened.registration
        self._check(registration, target, decision)
        line = step(registration, target, decision.by, now, reason=decision.reason, note=decision.note)
        session.add(line)
        await session.flush()
        session.add(await _announcement(session, registration, decision.reason, now))
        await self._append_audit(session, decision, line)
        return Moved(registration.receipt, target)

    async def _remark(
        self, session: AsyncSession, opened: Opened, decision: Decision, now: datetime, *, among: set[Status]
    ) -> Moved:
        registration = opened.registration
        status = Status(registration.status)
        if status not in among or decision.by.kind not in STAFF:
            raise IllegalTransition(source=status.value, target=status.value, actor=decision.by.kind.value)
        line = remark(registration, decision.by, now, reason=decision.reason, note=decision.note)
        session.add(line)
        await self._append_audit(session, decision, line)
        return Moved(registration.receipt, status)

    async def _append_audit(self, session: AsyncSession, decision: Decision, line: StatusChange) -> None:
        moved = f"{line.source}>{line.target}" if line.source != line.target else "remark"
        await self._audit.append(
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


async def _lacking(session: AsyncSession, opened: Opened, post_id: int | None, now: datetime) -> NoPlace | None:
    """Return what is full, or ``None``. What the registration occupies or was offered itself is its own."""
    registration, place = opened.registration, opened.place
    if place is None or registration.place_taken:
        return None
    if place.kind is PlaceKind.SLOT:
        state = None if has_offer(registration, now) else await slot_state(session, place, now)
        free = has_offer(registration, now) or (state is not None and state.free > 0)
        return None if free else NoPlace("slot")
    return await _lacking_in_quota(session, opened, post_id, now)


async def _lacking_in_quota(
    session: AsyncSession, opened: Opened, post_id: int | None, now: datetime
) -> NoPlace | None:
    registration, programme = opened.registration, opened.programme
    if not await post_is_open(session, programme, post_id):
        return NoPlace("post")
    wish = Wish(registration.id, registration.county, post_id or registration.post_id)
    return await missing_in_quota(session, programme, wish, now)


async def _refuse_second(session: AsyncSession, registration: Registration) -> None:
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
