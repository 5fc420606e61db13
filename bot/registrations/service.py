"""Registrations as their owners use them: free places, holds, submitting, looking up, changing, cancelling, offers.

Every write is one transaction and can be repeated with its ``key``: the repetition changes nothing and answers what
the first call answered.
"""

from datetime import timedelta

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from bot.programmes.rows import programme_row
from bot.programmes.rules import Finding
from bot.registrations.availability import free_posts, free_slots
from bot.registrations.calls import Calls
from bot.registrations.changing import Editing
from bot.registrations.claiming import Claiming
from bot.registrations.deriving import LookupColumns
from bot.registrations.holding import Holding
from bot.registrations.leaving import Leaving
from bot.registrations.ledger import Ledger
from bot.registrations.models import Registration
from bot.registrations.outcomes import (
    Accepted,
    AcceptOutcome,
    Application,
    Attached,
    AttachOutcome,
    Cancelled,
    CancelOutcome,
    Changed,
    ChangeOutcome,
    Changes,
    Claimed,
    ClaimOutcome,
    Declined,
    DeclineOutcome,
    Duplicate,
    FreePost,
    FreeSlot,
    Full,
    Gone,
    Held,
    HoldOutcome,
    Incomplete,
    NotFound,
    NotOnline,
    NotOpen,
    NotPossible,
    OfferGone,
    Particulars,
    Promoted,
    Released,
    ResubmitOutcome,
    Resubmitted,
    SubmitOutcome,
    Submitted,
    TooLate,
    TooMany,
    UnknownMaterial,
)
from bot.registrations.places import PlaceLock, place_for
from bot.registrations.prechecks import Applicant, Prechecks
from bot.registrations.sealing import Sealer
from bot.registrations.submitting import Submission, crowd_of
from bot.registrations.views import RegistrationView, views_of
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

CALLS_KEPT = timedelta(days=14)
"""How long a write can be repeated with its key; a delivery is repeated within seconds, a crash recovers in hours."""

_HOLD_KINDS: tuple[type[HoldOutcome], ...] = (Held, Full, NotOpen, Gone)
_SUBMIT_KINDS: tuple[type[SubmitOutcome], ...] = (Submitted, Duplicate, Incomplete, NotOnline, NotOpen, Full, Gone)
_CHANGE_KINDS: tuple[type[ChangeOutcome], ...] = (Changed, Full, Gone, TooLate, NotPossible, Duplicate, NotFound)
_CANCEL_KINDS: tuple[type[CancelOutcome], ...] = (Cancelled, TooLate, NotPossible, NotFound)
_RESUBMIT_KINDS: tuple[type[ResubmitOutcome], ...] = (Resubmitted, NotPossible, NotFound)
_ACCEPT_KINDS: tuple[type[AcceptOutcome], ...] = (Accepted, OfferGone, NotFound)
_DECLINE_KINDS: tuple[type[DeclineOutcome], ...] = (Declined, OfferGone, NotFound)
_CLAIM_KINDS: tuple[type[ClaimOutcome], ...] = (Claimed, NotFound)
_ATTACH_KINDS: tuple[type[AttachOutcome], ...] = (Attached, TooMany, UnknownMaterial, NotPossible, NotFound)


class RegistrationService:
    """The services that conversations call. All values that come in are parsed and normalised already."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, lock: PlaceLock) -> None:
        self._database = database
        self._clock = clock
        self._calls = Calls(database, clock)
        self._ledger = Ledger(Sealer(cipher), lock, clock)
        self._prechecks = Prechecks(self._ledger.sealer, clock)
        self._holding = Holding(self._ledger)
        self._submission = Submission(self._ledger, self._prechecks)
        self._editing = Editing(self._ledger, self._prechecks)
        self._leaving = Leaving(self._ledger)
        self._claiming = Claiming(self._ledger)
        self._lookups = LookupColumns(database, self._ledger.sealer)

    # Before a registration exists

    async def slots(
        self, programme_id: str, *, county: str | None = None, site_id: int | None = None, openid: str | None = None
    ) -> tuple[FreeSlot, ...]:
        """Return the open slots from now on with their free places, full ones too, by date and time.

        ``openid``'s own hold is not counted as taken. A picture of the moment: only ``hold_place`` promises.
        """
        async with self._database.reading() as session:
            now = self._clock.now()
            return await free_slots(session, programme_id, now, county=county, site_id=site_id, but_for=openid)

    async def posts(self, programme_id: str, *, county: str | None = None) -> tuple[FreePost, ...]:
        """Return the open work-study posts with the places that nobody was given yet."""
        async with self._database.reading() as session:
            return await free_posts(session, programme_id, self._clock.now(), county=county)

    async def crowd(self, programme_id: str) -> Full | None:
        """Return how many wait where a new registration would wait too, ``None`` where it would not.

        Only programmes without slots are crowded as a whole. A picture of the moment. Raises UnknownProgramme.
        """
        async with self._database.reading() as session:
            programme = (await programme_row(session, programme_id)).document
            place = place_for(programme, None)
            return None if place is None else await crowd_of(session, programme, place)

    async def precheck(self, programme_id: str, person: Applicant) -> tuple[Finding, ...]:
        """Return hints on ``person`` (anything with ``id_number``, ``birth_date``, ``sex``; ``None`` where unknown).

        Never a refusal: ``Weight.REVIEW`` may be looked at by a person, ``NEEDED`` asks for something more,
        ``OFFLINE`` cannot be done in the chat. Raises UnknownProgramme.
        """
        async with self._database.reading() as session:
            programme = (await programme_row(session, programme_id)).document
            past = await self._prechecks.past_of(session, person.id_number)
            return self._prechecks.findings(programme, person, past)

    async def duplicate_of(self, programme_id: str, id_number: str, openid: str) -> Duplicate | None:
        """Return the registration that this person has in the programme already, or ``None``."""
        async with self._database.reading() as session:
            return (await self._prechecks.past_of(session, id_number)).duplicate(programme_id, openid)

    async def hold_place(self, programme_id: str, slot_id: int, openid: str, key: str) -> HoldOutcome:
        """Keep a place in the slot for ``slot_hold_minutes``; an earlier hold in the programme is given up for it."""
        return await self._calls.once(
            "hold", key, _HOLD_KINDS, lambda session: self._holding.hold(session, programme_id, slot_id, openid)
        )

    async def release_hold(self, programme_id: str, openid: str) -> None:
        """Give up the held place, if there is one; whoever waits for it is offered it. Repeating it is harmless."""
        async with self._database.transaction() as session:
            await self._holding.release(session, programme_id, openid)

    async def submit(self, application: Application) -> SubmitOutcome:
        """Store a finished form and give it a place, or a rank on the waiting list.

        With slots the place is taken now and, where the programme confirms by itself and the pre-check found nothing,
        the status is ``approved``; otherwise a person reviews (``pending``). Raises UnknownProgramme.
        """
        return await self._calls.once(
            "submit", application.key, _SUBMIT_KINDS, lambda session: self._submission.submit(session, application)
        )

    # Looking up

    async def find_for(self, openid: str, *, limit: int = 20) -> tuple[RegistrationView, ...]:
        """Return this follower's registrations, the newest first."""
        query = (
            select(Registration)
            .where(Registration.openid == openid)
            .order_by(Registration.created_at.desc(), Registration.id.desc())
            .limit(limit)
        )
        async with self._database.reading() as session:
            return await self._views(session, query)

    async def find_by_receipt(self, receipt: str, openid: str) -> RegistrationView | None:
        """Return the registration when it is this follower's own."""
        query = select(Registration).where(Registration.receipt == receipt, Registration.openid == openid)
        async with self._database.reading() as session:
            views = await self._views(session, query)
            return views[0] if views else None

    async def _views(self, session: AsyncSession, query: Select[Registration]) -> tuple[RegistrationView, ...]:
        rows = (await session.scalars(query)).all()
        return await views_of(session, self._ledger.sealer, self._clock.now().date(), rows)

    async def own_particulars(self, receipt: str, openid: str) -> Particulars | None:
        """Return the plain values of this follower's own registration, to review or edit them; raises SealBroken."""
        query = select(Registration).where(Registration.receipt == receipt, Registration.openid == openid)
        async with self._database.reading() as session:
            registration = (await session.scalars(query)).one_or_none()
            return None if registration is None else self._ledger.sealer.read(registration)

    # Changing

    async def change(self, receipt: str, openid: str, changes: Changes, key: str) -> ChangeOutcome:
        """Edit while pending, returned or waiting; when approved, name and number go to review again.

        A new slot is taken before the old one is given up, until ``cancel_deadline_hours`` before the old one begins.
        Raises PlaceMoved when two changes of the place met; the call can then be repeated with the same key.
        """
        return await self._calls.once(
            "change", key, _CHANGE_KINDS, lambda session: self._editing.change(session, receipt, openid, changes)
        )

    async def attach_material(self, receipt: str, openid: str, code: str, file_id: str, key: str) -> AttachOutcome:
        """Add a file that the private files hold already, under a code the programme asks for."""
        return await self._calls.once(
            "attach",
            key,
            _ATTACH_KINDS,
            lambda session: self._editing.attach(session, receipt, openid, code, file_id),
        )

    async def resubmit(self, receipt: str, openid: str, key: str) -> ResubmitOutcome:
        """Send a returned registration back to review once everything was supplied."""
        return await self._calls.once(
            "resubmit", key, _RESUBMIT_KINDS, lambda session: self._editing.resubmit(session, receipt, openid)
        )

    async def cancel(self, receipt: str, openid: str, key: str, *, note: str = "") -> CancelOutcome:
        """Cancel one's own registration, free the place and offer it to the first who waits, in one transaction.

        A slot only until its deadline; staff can later (``ReviewService.cancel``). Raises PlaceMoved.
        """
        return await self._calls.once(
            "cancel", key, _CANCEL_KINDS, lambda session: self._leaving.cancel(session, receipt, openid, note)
        )

    async def claim(self, id_number: str, phone: str, openid: str, key: str) -> ClaimOutcome:
        """Hand over to the follower what a unit registered for the person with this number and phone.

        From then on they look it up, change it and withdraw it like their own.
        """
        return await self._calls.once(
            "claim", key, _CLAIM_KINDS, lambda session: self._claiming.claim(session, id_number, phone, openid)
        )

    # Offers of a place to those who wait

    async def accept_offer(self, receipt: str, openid: str, key: str) -> AcceptOutcome:
        """Confirm the place that was offered; the registration is approved."""
        return await self._calls.once(
            "accept", key, _ACCEPT_KINDS, lambda session: self._leaving.accept(session, receipt, openid)
        )

    async def decline_offer(self, receipt: str, openid: str, key: str) -> DeclineOutcome:
        """Pass the offered place on to the next who waits; the registration is cancelled."""
        return await self._calls.once(
            "decline", key, _DECLINE_KINDS, lambda session: self._leaving.decline(session, receipt, openid)
        )

    async def derive_lookups(self) -> int:
        """Fill the columns that staff search by, for some rows from before there were any; return how many."""
        return await self._lookups.derive()

    async def release_expired(self) -> Released:
        """Tidy up holds and offers that ran out and move the waiting lists up; the worker calls it every minute.

        Nothing depends on it for being right, only for being told in time: what ran out counts for nothing at once.
        Calls that nobody repeats any more are forgotten as well.
        """
        await self._calls.forget_before(self._clock.now() - CALLS_KEPT)
        async with self._database.reading() as session:
            places = await self._leaving.places_to_settle(session)
        holds, offers, promoted = 0, 0, list[Promoted]()
        for place in places:
            async with self._database.transaction() as session:
                released = await self._leaving.release(session, place)
            holds, offers = holds + released.holds, offers + released.offers
            promoted += released.promoted
        return Released(holds, offers, tuple(promoted))
