"""Editing a registration by its owner: values, slot, files, and sending it back to review."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.rules import priority
from bot.registrations.availability import alternatives
from bot.registrations.doubles import note_duplicates
from bot.registrations.journal import remark, step
from bot.registrations.leaving import deadline_of
from bot.registrations.ledger import Ledger, Opened
from bot.registrations.materials import facts
from bot.registrations.models import Material, Registration
from bot.registrations.outcomes import (
    Attached,
    AttachOutcome,
    Changed,
    ChangeOutcome,
    Changes,
    Duplicate,
    Full,
    Gone,
    NotFound,
    NotPossible,
    Particulars,
    Promoted,
    ResubmitOutcome,
    Resubmitted,
    TooLate,
    TooMany,
    UnknownMaterial,
)
from bot.registrations.places import Place, place_for
from bot.registrations.prechecks import Prechecks, is_clean
from bot.registrations.statuses import EDITABLE, Actor, ActorKind, Status
from bot.registrations.submitting import drop_hold, full, post_is_open
from bot.registrations.waiting import join, position_of, settle, settled_slot

_CHANGEABLE = EDITABLE | {Status.APPROVED}
_IDENTITY = ("name", "id_number")


@dataclass(frozen=True, slots=True)
class Editing:
    """Changes registrations in the caller's transaction."""

    ledger: Ledger
    prechecks: Prechecks

    async def change(self, session: AsyncSession, receipt: str, openid: str, changes: Changes) -> ChangeOutcome:
        """Apply ``changes``, all or none; see ``RegistrationService.change``."""
        opened = await self.ledger.open(session, receipt, openid=openid, also_slot=changes.slot_id)
        if opened is None:
            return NotFound()
        refusal = await self._refusal(session, opened, changes)
        if refusal is not None:
            return refusal
        promoted: tuple[Promoted, ...] = ()
        if _moves(opened.registration, changes):
            moved = await self._move(session, opened, changes)
            if not isinstance(moved, tuple):
                return moved
            promoted = moved
        review_again = await self._edit(session, opened, changes)
        registration = opened.registration
        position = await position_of(session, registration)
        return Changed(receipt, Status(registration.status), position, review_again, promoted)

    async def _refusal(
        self, session: AsyncSession, opened: Opened, changes: Changes
    ) -> NotPossible | Duplicate | Gone | None:
        registration, programme = opened.registration, opened.programme
        status = Status(registration.status)
        wants_post = changes.post_id is not None and changes.post_id != registration.post_id
        wants_county = changes.county is not None and changes.county != registration.county
        by_people = registration.place_taken and not programme.kind.books_slots
        if status not in _CHANGEABLE or (by_people and (wants_post or wants_county)):
            return NotPossible(status)
        if wants_post and not await post_is_open(session, programme, changes.post_id):
            return Gone(())
        past = await self.prechecks.past_of(session, changes.id_number)
        return past.duplicate(programme.id, registration.openid, but=registration.id)

    async def _move(
        self, session: AsyncSession, opened: Opened, changes: Changes
    ) -> tuple[Promoted, ...] | TooLate | Full | Gone:
        """Take the new slot first; only then is the old one given up, and its waiting list moves."""
        registration, programme = opened.registration, opened.programme
        now = self.ledger.clock.now()
        deadline = await deadline_of(session, opened)
        if deadline is not None and now > deadline:
            return TooLate(deadline)
        target = place_for(programme, changes.slot_id)
        state = None if target is None else await settled_slot(session, programme, target, now, registration.openid)
        if target is None or state is None:
            return Gone(await alternatives(session, programme.id, registration.slot_id, now))
        if state.free <= 0:
            return await full(session, programme, state, now)
        await self._enter(session, registration, target, now)
        await drop_hold(session, programme.id, registration.openid)
        await session.flush()
        if opened.place is None:
            return ()
        return (await settle(session, programme, opened.place, now)).promoted

    async def _enter(self, session: AsyncSession, registration: Registration, target: Place, now: datetime) -> None:
        registration.slot_id = target.slot_id
        registration.offer_expires_at = None
        if registration.status != Status.WAITLISTED.value:
            registration.place_taken = True
        elif registration.qualified:
            registration.place_taken = True
            actor = Actor(ActorKind.SYSTEM, registration.openid)
            session.add(step(registration, Status.APPROVED, actor, now, reason="place_confirmed"))
        else:
            # A person has to look first; meanwhile it waits at the new slot.
            await join(session, registration, target)

    async def _edit(self, session: AsyncSession, opened: Opened, changes: Changes) -> bool:
        registration = opened.registration
        before = self.ledger.sealer.read(registration)
        after = _merged(before, changes)
        self.ledger.sealer.write(registration, after)
        registration.county = changes.county or registration.county
        registration.post_id = changes.post_id or registration.post_id
        identity_changed = any(getattr(before, name) != getattr(after, name) for name in _IDENTITY)
        approved = registration.status == Status.APPROVED.value
        if identity_changed and approved:
            registration.needs_review = True
        points = priority(opened.programme, facts(after, self.ledger.clock.now().date()))
        registration.priority, registration.rank = points, -points
        if before.id_number != after.id_number:
            await self._check_again(session, opened, after, approved=approved)
        if (before.id_number, before.phone) != (after.id_number, after.phone):
            await note_duplicates(session, registration)
        owner = Actor(ActorKind.FOLLOWER, registration.openid)
        now = self.ledger.clock.now()
        session.add(remark(registration, owner, now, reason="edited", note=_names(changes)))
        return registration.needs_review

    async def _check_again(
        self, session: AsyncSession, opened: Opened, after: Particulars, *, approved: bool
    ) -> None:
        registration, programme = opened.registration, opened.programme
        past = await self.prechecks.past_of(session, after.id_number)
        findings = self.prechecks.findings(programme, after, past)
        registration.findings = [finding.code for finding in findings]
        registration.has_findings = bool(findings)
        if not approved:
            registration.qualified = is_clean(programme, findings)

    async def attach(
        self, session: AsyncSession, receipt: str, openid: str, code: str, file_id: str
    ) -> AttachOutcome:
        """Add a file; see ``RegistrationService.attach_material``."""
        opened = await self.ledger.open(session, receipt, openid=openid)
        if opened is None:
            return NotFound()
        registration, programme = opened.registration, opened.programme
        if Status(registration.status) not in _CHANGEABLE:
            return NotPossible(Status(registration.status))
        wanted = tuple(rule.code for rule in programme.required_materials)
        if code not in wanted:
            return UnknownMaterial(wanted)
        mine = select(func.count()).where(Material.registration_id == registration.id)
        if (await session.execute(mine)).scalar_one() >= programme.materials_max:
            return TooMany(programme.materials_max)
        now = self.ledger.clock.now()
        session.add(Material(registration_id=registration.id, code=code, file_id=file_id, received_at=now))
        owner = Actor(ActorKind.FOLLOWER, openid)
        session.add(remark(registration, owner, now, reason="material_received", note=code))
        await session.flush()
        return Attached(receipt, code, await self.ledger.missing(session, opened), file_id)

    async def resubmit(self, session: AsyncSession, receipt: str, openid: str) -> ResubmitOutcome:
        """Send a returned registration back to review; see ``RegistrationService.resubmit``."""
        opened = await self.ledger.open(session, receipt, openid=openid)
        if opened is None:
            return NotFound()
        registration = opened.registration
        if registration.status != Status.RETURNED.value:
            return NotPossible(Status(registration.status))
        actor = Actor(ActorKind.SYSTEM, openid)
        now = self.ledger.clock.now()
        session.add(step(registration, Status.PENDING, actor, now, reason="supplied"))
        registration.returned_items = []
        registration.returned_until = None
        return Resubmitted(receipt, await self.ledger.missing(session, opened))


def _moves(registration: Registration, changes: Changes) -> bool:
    return changes.slot_id is not None and changes.slot_id != registration.slot_id


def _merged(before: Particulars, changes: Changes) -> Particulars:
    after = replace(
        before,
        name=changes.name or before.name,
        phone=changes.phone or before.phone,
        answers={**before.answers, **changes.answers},
    )
    if changes.id_number is None:
        return after
    return replace(after, id_number=changes.id_number, birth_date=changes.birth_date, sex=changes.sex)


def _names(changes: Changes) -> str:
    plain = ("name", "phone", "id_number", "county", "slot_id", "post_id")
    named = [name for name in plain if getattr(changes, name) is not None]
    return ",".join([*named, *sorted(changes.answers)])
