"""A finished form becomes a registration: checked, given a place or a rank, numbered and stored, all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.models import PostRow, Programme
from bot.programmes.rows import programme_row
from bot.programmes.rules import Finding, Weight, consents_needed, materials_needed, priority
from bot.registrations.availability import alternatives
from bot.registrations.doubles import note_duplicates
from bot.registrations.journal import step
from bot.registrations.ledger import Ledger
from bot.registrations.materials import facts
from bot.registrations.models import Hold, Registration, StatusChange
from bot.registrations.outcomes import (
    Application,
    Full,
    Gone,
    Incomplete,
    NotOnline,
    Particulars,
    SubmitOutcome,
    Submitted,
)
from bot.registrations.places import Place, PlaceKind, SlotState, place_for
from bot.registrations.prechecks import Prechecks, is_clean, not_open
from bot.registrations.receipts import next_receipt
from bot.registrations.statuses import LIVE, Actor, ActorKind, Status
from bot.registrations.waiting import join, position_of, settled_slot, waiting_count


@dataclass(frozen=True, slots=True)
class _Placement:
    """Where a new registration goes: its statuses after ``draft``, and whether it occupies a place."""

    path: tuple[Status, ...]
    place_taken: bool = False


@dataclass(frozen=True, slots=True)
class UnitNote:
    """What the history says of a registration that a unit made: which list it came with."""

    text: str


_REASONS = {Status.PENDING: "submitted", Status.APPROVED: "place_confirmed", Status.WAITLISTED: "all_places_taken"}


@dataclass(frozen=True, slots=True)
class Submission:
    """Submits applications in the caller's transaction."""

    ledger: Ledger
    prechecks: Prechecks

    async def submit(self, session: AsyncSession, application: Application) -> SubmitOutcome:
        """Store ``application`` or say why not; see ``RegistrationService.submit``."""
        now = self.ledger.clock.now()
        programme = (await programme_row(session, application.programme_id)).document
        shut = not_open(programme, now)
        if shut is not None:
            return shut
        past = await self.prechecks.past_of(session, application.id_number)
        findings = self.prechecks.findings(programme, application, past, said=application.last_served)
        refusal = self._refusal(programme, application, findings) or past.duplicate(programme.id, application.openid)
        if refusal is not None:
            return refusal
        clean = is_clean(programme, findings)
        return await self._enter(session, programme, application, findings, clean=clean, by=application.openid)

    async def submit_for_unit(
        self, session: AsyncSession, application: Application, *, by: str, note: str
    ) -> SubmitOutcome:
        """Store what a unit hands in for one of its people: whatever the window, and always for a person to review.

        ``by`` is the member of staff who brings it in. The consents of the person are the unit's to have on paper.
        """
        programme = (await programme_row(session, application.programme_id)).document
        past = await self.prechecks.past_of(session, application.id_number)
        findings = self.prechecks.findings(programme, application, past)
        offline = tuple(finding for finding in findings if finding.weight is Weight.OFFLINE)
        refusal = NotOnline(offline) if offline else past.duplicate(programme.id, application.openid)
        if refusal is not None:
            return refusal
        unit = UnitNote(note)
        return await self._enter(session, programme, application, findings, clean=False, by=by, unit=unit)

    async def _enter(
        self,
        session: AsyncSession,
        programme: Programme,
        application: Application,
        findings: tuple[Finding, ...],
        *,
        clean: bool,
        by: str,
        unit: UnitNote | None = None,
    ) -> SubmitOutcome:
        place = place_for(programme, application.slot_id)
        if place is not None:
            await self.ledger.lock.take(session, [place])
        placement = await self._placement(session, programme, application, place, clean=clean)
        if not isinstance(placement, _Placement):
            return placement
        registration = self._new(programme, application, findings, placement)
        lines = _first_lines(registration, placement, by, unit)
        return await self._store(session, programme, application, findings, registration, lines, place)

    def _facts(self, application: Application) -> Mapping[str, str]:
        return facts(particulars_of(application), self.ledger.clock.now().date())

    def _refusal(
        self, programme: Programme, application: Application, findings: tuple[Finding, ...]
    ) -> NotOnline | Incomplete | None:
        offline = tuple(finding for finding in findings if finding.weight is Weight.OFFLINE)
        if offline:
            return NotOnline(offline)
        needed = consents_needed(programme, self._facts(application))
        missing = tuple(f"consent.{code}" for code in needed if code not in application.consents)
        return Incomplete(missing) if missing else None

    async def _placement(
        self,
        session: AsyncSession,
        programme: Programme,
        application: Application,
        place: Place | None,
        *,
        clean: bool,
    ) -> _Placement | Full | Gone:
        now = self.ledger.clock.now()
        if place is None:
            return (
                Gone(await alternatives(session, programme.id, None, now)) if programme.kind.books_slots else _PENDING
            )
        if place.kind is PlaceKind.QUOTA:
            if not await post_is_open(session, programme, application.post_id):
                return Gone(())
            return await self._without_slot(session, programme, application, place)
        state = await settled_slot(session, programme, place, now, application.openid)
        if state is None:
            return Gone(await alternatives(session, programme.id, place.slot_id, now))
        if state.free > 0:
            path = (Status.PENDING, Status.APPROVED) if clean else (Status.PENDING,)
            return _Placement(path, place_taken=True)
        if application.accept_waiting and state.waiting < programme.waitlist_size:
            return _WAITING
        return await full(session, programme, state, now)

    async def _without_slot(
        self, session: AsyncSession, programme: Programme, application: Application, place: Place
    ) -> _Placement | Full:
        """People give the places away; an application only waits when there are far more than they could take."""
        crowd = await crowd_of(session, programme, place)
        if crowd is None:
            return _PENDING
        return _WAITING if application.accept_waiting and crowd.waitlist_open else crowd

    async def _store(
        self,
        session: AsyncSession,
        programme: Programme,
        application: Application,
        findings: tuple[Finding, ...],
        registration: Registration,
        lines: Sequence[StatusChange],
        place: Place | None,
    ) -> Submitted:
        now = registration.created_at
        if place is not None and registration.status == Status.WAITLISTED.value:
            await join(session, registration, place)
        registration.receipt = await next_receipt(session, programme.kind, now.date())
        await note_duplicates(session, registration)
        session.add(registration)
        await session.flush()
        for line in lines:
            line.registration_id = registration.id
        session.add_all(lines)
        await drop_hold(session, programme.id, application.openid)
        await session.flush()
        return Submitted(
            receipt=registration.receipt,
            status=Status(registration.status),
            waitlist_position=await position_of(session, registration),
            missing=materials_needed(programme, self._facts(application)),
            findings=findings,
        )

    def _new(
        self, programme: Programme, application: Application, findings: tuple[Finding, ...], placement: _Placement
    ) -> Registration:
        now = self.ledger.clock.now()
        registration = Registration(
            idempotency_key=application.key,
            programme_id=programme.id,
            programme_version=programme.version,
            kind=programme.kind.value,
            status=Status.DRAFT.value,
            openid=application.openid,
            relation=application.relation,
            county=application.county,
            slot_id=application.slot_id,
            post_id=application.post_id,
            place_taken=placement.place_taken,
            qualified=is_clean(programme, findings),
            priority=(points := priority(programme, self._facts(application))),
            rank=-points,
            findings=[finding.code for finding in findings],
            has_findings=bool(findings),
            consents=dict(application.consents),
            returned_items=[],
            offers_lapsed=0,
            changes=0,
            created_at=now,
            updated_at=now,
        )
        self.ledger.sealer.write(registration, particulars_of(application))
        return registration


def _first_lines(
    registration: Registration, placement: _Placement, by: str, unit: UnitNote | None
) -> list[StatusChange]:
    actor, now = Actor(ActorKind.SYSTEM, by), registration.created_at
    lines = [step(registration, status, actor, now, reason=_REASONS[status]) for status in placement.path]
    if unit is not None:
        lines[0].reason, lines[0].note = "registered_by_unit", unit.text
    return lines


_PENDING = _Placement((Status.PENDING,))
_WAITING = _Placement((Status.PENDING, Status.WAITLISTED))


def particulars_of(application: Application) -> Particulars:
    """Return the personal values of an application."""
    return Particulars(
        name=application.name,
        phone=application.phone,
        id_number=application.id_number,
        birth_date=application.birth_date,
        sex=application.sex,
        answers=application.answers,
    )


async def drop_hold(session: AsyncSession, programme_id: str, openid: str) -> None:
    """Give up the hold of ``openid``; it became a place, or is not wanted any more."""
    await session.execute(delete(Hold).where(Hold.programme_id == programme_id, Hold.openid == openid))


async def full(session: AsyncSession, programme: Programme, state: SlotState, now: datetime) -> Full:
    """Return what to say of a slot without a free place."""
    others = await alternatives(session, programme.id, state.slot.id, now)
    return Full(others, state.waiting, waitlist_open=state.waiting < programme.waitlist_size)


async def post_is_open(session: AsyncSession, programme: Programme, post_id: int | None) -> bool:
    """Say whether the post is of the programme and not closed; no wish is always fine."""
    if post_id is None:
        return True
    post = await session.get(PostRow, post_id)
    return post is not None and post.programme_id == programme.id and not post.closed


async def crowd_of(session: AsyncSession, programme: Programme, place: Place) -> Full | None:
    """Return how many wait for a programme without slots, ``None`` while it needs no waiting list."""
    if not await _crowded(session, programme):
        return None
    waiting = await waiting_count(session, place)
    return Full((), waiting, waitlist_open=waiting < programme.waitlist_size)


async def _crowded(session: AsyncSession, programme: Programme) -> bool:
    if programme.applications_per_place is None or programme.quota_total is None:
        return False
    live = select(func.count()).where(
        Registration.programme_id == programme.id,
        Registration.status.in_([status.value for status in LIVE - {Status.WAITLISTED}]),
    )
    return (await session.execute(live)).scalar_one() >= programme.quota_total * programme.applications_per_place
