"""Registrations as staff work on them: review, places, attendance.

Only a person rejects: nothing in this project calls ``reject`` but a member of staff. Every write is one transaction
with its audit row, and can be repeated with its key.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import SlotRow
from bot.programmes.rows import any_row
from bot.registrations.calls import Calls
from bot.registrations.correcting import TAKE_BACK_KINDS, Mistake, TakingBack
from bot.registrations.deciding import (
    Deciding,
    Decision,
    check_due,
    lacking_in_quota,
    lacking_place,
    refuse_second,
)
from bot.registrations.errors import IllegalTransition, MovedSince
from bot.registrations.leaving import vacate
from bot.registrations.ledger import Ledger, Opened
from bot.registrations.missing_items import check_return
from bot.registrations.outcomes import AlreadyIn, ApproveOutcome, CheckInOutcome, Moved, NoPlace, TakeBackOutcome
from bot.registrations.places import PlaceLock
from bot.registrations.reasons import ReasonTable
from bot.registrations.sealing import Sealer
from bot.registrations.statuses import Status
from bot.registrations.waiting import join, settle
from bot.staff.audit import AuditWriter
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

__all__ = ["Decision", "ReviewService"]

_APPROVE_KINDS: tuple[type[ApproveOutcome], ...] = (Moved, NoPlace)
_CHECK_IN_KINDS: tuple[type[CheckInOutcome], ...] = (Moved, AlreadyIn)


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
        ledger = Ledger(Sealer(cipher), lock, clock)
        self._deciding = Deciding(Calls(database, clock), ledger, audit, reasons, clock)

    # Decisions

    async def approve(self, decision: Decision, *, post_id: int | None = None) -> ApproveOutcome:
        """Approve and take the place, in one transaction; ``post_id`` is the post that people decided on."""

        async def work(session: AsyncSession) -> ApproveOutcome:
            opened, now = await self._deciding.open(session, decision), self._clock.now()
            registration = opened.registration
            self._deciding.check(registration, Status.APPROVED, decision)
            lacking = await lacking_place(session, opened, post_id, now)
            if lacking is not None:
                return lacking
            registration.post_id = post_id or registration.post_id
            registration.place_taken = opened.place is not None
            registration.offer_expires_at = None
            registration.qualified = True
            return await self._deciding.move(session, opened, Status.APPROVED, decision, now)

        return await self._deciding.calls.once("approve", decision.key, _APPROVE_KINDS, work)

    async def return_(self, decision: Decision, *, items: Sequence[str], until: datetime) -> Moved:
        """Send back with everything that is missing at once (``items``: codes of ``items_of``) and when it is due.

        Raises ItemsMissing and DeadlinePassed besides.
        """

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            check_return(opened.programme, items, until, now)
            opened.registration.returned_items = list(items)
            opened.registration.returned_until = until
            return await self._deciding.move(session, opened, Status.RETURNED, decision, now)

        return await self._deciding.once("return", decision, work)

    async def reject(self, decision: Decision) -> Moved:
        """Reject, with a reason that the applicant reads; a place becomes free."""
        return await self._deciding.leave("reject", decision, Status.REJECTED)

    async def cancel(self, decision: Decision) -> Moved:
        """Cancel for the applicant or the union, whenever; a place becomes free."""
        return await self._deciding.leave("staff_cancel", decision, Status.CANCELLED)

    async def no_show(self, decision: Decision) -> Moved:
        """Record that somebody did not come; raises NotDueYet before the day of the appointment."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            self._deciding.check(opened.registration, Status.NO_SHOW, decision)
            await check_due(session, opened.registration, now)
            return await self._deciding.leave_now(session, opened, Status.NO_SHOW, decision, now)

        return await self._deciding.once("no_show", decision, work)

    async def waitlist(self, decision: Decision) -> Moved:
        """Put a qualified registration on the waiting list; a place that it held becomes free."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            registration = opened.registration
            if opened.place is None:
                raise IllegalTransition(source=registration.status, target="waitlisted", actor=decision.by.kind.value)
            registration.qualified = True
            registration.offers_lapsed = 0
            await join(session, registration, opened.place)
            moved = await self._deciding.move(session, opened, Status.WAITLISTED, decision, now)
            return Moved(moved.receipt, moved.status, await vacate(session, opened, now))

        return await self._deciding.once("waitlist", decision, work)

    async def reopen(self, decision: Decision) -> Moved:
        """Take a rejected registration up again."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            return await self._deciding.move(session, opened, Status.PENDING, decision, now)

        return await self._deciding.once("reopen", decision, work)

    async def complete(self, decision: Decision) -> Moved:
        """Record that the service was done, also afterwards for somebody marked as absent.

        Raises NotDueYet before the day of the appointment, AlreadyRegistered when an absent person has registered
        anew meanwhile.
        """

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            registration = opened.registration
            self._deciding.check(registration, Status.COMPLETED, decision)
            await check_due(session, registration, now)
            if registration.status == Status.NO_SHOW.value:
                await refuse_second(session, registration)
            slot_id = registration.slot_id
            registration.served_on = now.date() if slot_id is None else (await any_row(session, SlotRow, slot_id)).day
            return await self._deciding.move(session, opened, Status.COMPLETED, decision, now)

        return await self._deciding.once("complete", decision, work)

    async def take_back(self, decision: Decision, mistake: Mistake) -> TakeBackOutcome:
        """Put a registration back to where it stood before ``mistake``, the last decision about it.

        A notice that has not gone out is kept back; where it may have, another corrects it. ``NoPlace``: the place
        that it would hold again was given to somebody else. Raises MovedSince when something else happened meanwhile,
        AlreadyRegistered when an absent person has registered anew.
        """

        async def work(session: AsyncSession) -> TakeBackOutcome:
            opened, now = await self._deciding.open(session, decision), self._clock.now()
            return await TakingBack(self._deciding).take_back(session, opened, decision, mistake, now)

        return await self._deciding.calls.once("take_back", decision.key, TAKE_BACK_KINDS, work)

    # Work that leaves the status as it is

    async def check_in(self, decision: Decision) -> CheckInOutcome:
        """Record that an approved person has come; whoever is in already stays in since then."""

        async def work(session: AsyncSession) -> CheckInOutcome:
            opened, now = await self._deciding.open(session, decision), self._clock.now()
            registration = opened.registration
            if registration.checked_in_at is not None and registration.status == Status.APPROVED.value:
                return AlreadyIn(registration.receipt, registration.checked_in_at)
            registration.checked_in_at = now
            return await self._deciding.remark(session, opened, decision, now, among={Status.APPROVED})

        return await self._deciding.calls.once("check_in", decision.key, _CHECK_IN_KINDS, work)

    async def revoke_check_in(self, decision: Decision, made: Mistake | None = None) -> Moved:
        """Take back a check-in that was made by mistake.

        Raises MovedSince when it is not the one that was ``made``.
        """

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            registration = opened.registration
            since = registration.checked_in_at
            if made is not None and (since is None or not made.since <= since <= made.until):
                raise MovedSince(receipt=registration.receipt)
            registration.checked_in_at = None
            return await self._deciding.remark(session, opened, decision, now, among={Status.APPROVED})

        return await self._deciding.once("revoke_check_in", decision, work)

    async def requeue(self, decision: Decision) -> Moved:
        """Let a waiting registration move up by itself (again): a person looked at it, or an offer had run out."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            opened.registration.qualified = True
            opened.registration.offers_lapsed = 0
            moved = await self._deciding.remark(session, opened, decision, now, among={Status.WAITLISTED})
            if opened.place is None:
                return moved
            settled = await settle(session, opened.programme, opened.place, now)
            return Moved(moved.receipt, moved.status, settled.promoted)

        return await self._deciding.once("requeue", decision, work)

    async def assign_post(self, decision: Decision, post_id: int) -> ApproveOutcome:
        """Give an approved registration another post, if it has a place left."""

        async def work(session: AsyncSession) -> ApproveOutcome:
            opened, now = await self._deciding.open(session, decision), self._clock.now()
            lacking = await lacking_in_quota(session, opened, post_id, now)
            if lacking is not None:
                return lacking
            opened.registration.post_id = post_id
            among = {Status.APPROVED}
            return await self._deciding.remark(session, opened, decision, now, among=among, announce="post_assigned")

        return await self._deciding.calls.once("assign_post", decision.key, _APPROVE_KINDS, work)

    async def confirm_changes(self, decision: Decision) -> Moved:
        """Record that a name or number changed after approval was checked."""

        async def work(session: AsyncSession, opened: Opened, now: datetime) -> Moved:
            opened.registration.needs_review = False
            among = {Status.APPROVED}
            return await self._deciding.remark(
                session, opened, decision, now, among=among, announce="changes_confirmed"
            )

        return await self._deciding.once("confirm_changes", decision, work)
