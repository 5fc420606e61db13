"""Actions of the flow ``book_health_screening``."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from actions.programmes import ProgrammeDesk, programme_fields
from actions.screening_places import ScreeningPlaces, programme_of
from actions.standings import place_text, status_label
from actions.wording import HINTS, finding_fields, text_of
from bot.dialogue.events import (
    ActionContext,
    ActionTable,
    Event,
    OfferOptions,
    Option,
    Reject,
    Say,
    SetSlots,
    SlotValue,
)
from bot.followers.service import FollowerService
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.rules import Finding, Person, Weight, precheck
from bot.registrations.outcomes import (
    Application,
    Duplicate,
    FreeSlot,
    Full,
    Gone,
    Incomplete,
    NotOnline,
    NotOpen,
    Submitted,
)
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.values.clock import Clock
from bot.values.identity import IdentityNumber, parse_identity_number
from bot.values.problem import FieldValue, Problem

GO_ON = (
    Option("go_on", "继续约，请人工看一下", ("继续", "继续约", "人工看", "人工看一下")),
    Option("check", "号码填错了，重新填", ("填错了", "重新填", "重填", "号码错了")),
    Option("stop", "先不约了", ("不约了", "算了")),
)
YEARS_AGO = {"this_year": 0, "last_year": 1, "two_years": 2}
PREFILLED = ("hs_mobile", "hs_employer")
ANSWERS = ("hs_for_whom", "hs_employer", "hs_category", "hs_last_time", "hs_items", "hs_second_time", "hs_needs")


class HealthScreeningActions:
    """Compares who it is for with the rules, and books the place."""

    def __init__(
        self,
        desk: ProgrammeDesk,
        registrations: RegistrationService,
        followers: FollowerService,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._registrations = registrations
        self._followers = followers
        self._clock = clock
        self._places = ScreeningPlaces(desk, registrations)

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            **self._places.table(),
            "action_screening_open": self.open,
            "action_screening_introduce": self.introduce,
            "action_screening_elsewhere": self.elsewhere,
            "action_screening_submit": self.submit,
            "action_ask_hs_go_on": self.ask_go_on,
            "action_ask_hs_items": self.ask_items,
            "validate_hs_id": self.validate_id,
            "validate_hs_last_time": self.validate_last_time,
        }

    async def open(self, context: ActionContext) -> Sequence[Event]:
        """Begin, or say why it is not possible now."""
        prefill = await self._followers.prefill(context.openid)
        known: dict[str, SlotValue] = {}
        if prefill is not None:
            known = {name: prefill.values[name] for name in PREFILLED if name in prefill.values}
        return await self._desk.open_events(ProgrammeKind.HEALTH_SCREENING, "hs_window", known)

    async def introduce(self, context: ActionContext) -> Sequence[Event]:
        """Say what this period offers and until when."""
        return [Say("utter_hs_intro", programme_fields(await programme_of(self._desk, context)))]

    # --- Who ------------------------------------------------------------------------------------------------------

    async def validate_id(self, context: ActionContext) -> Sequence[Event]:
        """Compare age and sex with the programme's rules; a person decides where they do not fit."""
        number = parse_identity_number(text_of(context.slots.get("hs_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await programme_of(self._desk, context)
        findings = self._findings(programme, number)
        offline = _first(findings, Weight.OFFLINE)
        review = _first(findings, Weight.REVIEW)
        duplicate = await self._registrations.duplicate_of(programme.id, number.text, context.openid)
        learnt: dict[str, SlotValue] = {
            "hs_offline": offline.code if offline else None,
            "hs_review_hint": review.code if review else None,
            "hs_duplicate": duplicate is not None,
            "hs_go_on": None,
        }
        return [SetSlots(learnt)] if duplicate is None else [SetSlots(learnt), _say_duplicate(duplicate)]

    def _findings(self, programme: Programme, number: IdentityNumber) -> Sequence[Finding]:
        return precheck(programme, Person(number.birth_date, number.sex), self._clock.now().date())

    async def ask_go_on(self, context: ActionContext) -> Sequence[Event]:
        """Say what does not fit the rules of this period; going on is always possible."""
        number = parse_identity_number(text_of(context.slots.get("hs_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await programme_of(self._desk, context)
        found = [one for one in self._findings(programme, number) if one.weight is Weight.REVIEW]
        fields = {**programme_fields(programme), **finding_fields(found)}
        return [OfferOptions(GO_ON, fields, HINTS[found[0].code])]

    async def elsewhere(self, context: ActionContext) -> Sequence[Event]:
        """The follower stops here: give the place back, name the other ways."""
        await self._places.release(context)
        return [Say("utter_hs_elsewhere", programme_fields(await programme_of(self._desk, context)))]

    async def validate_last_time(self, context: ActionContext) -> Sequence[Event]:
        """Note the interval of the rules when the last screening was too recent; it never stops anybody."""
        programme = await programme_of(self._desk, context)
        person = Person(None, programme.sex, _last_served(context))
        found = _first(precheck(programme, person, self._clock.now().date()), Weight.REVIEW)
        return [SetSlots({"hs_recent_months": None if found is None else programme.repeat_interval_months})]

    async def ask_items(self, context: ActionContext) -> Sequence[Event]:
        """Offer the programme's own items."""
        programme = await programme_of(self._desk, context)
        options = tuple(Option(item.code, item.label) for item in programme.choices.get("items", ()))
        return [OfferOptions(options)] if options else [SetSlots({"hs_items": []})]

    # --- Submitting -----------------------------------------------------------------------------------------------

    async def submit(self, context: ActionContext) -> Sequence[Event]:
        """Book the place, or a rank on the waiting list; ``hs_place`` is ``taken`` when another time is needed."""
        number = parse_identity_number(text_of(context.slots.get("hs_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme, slot = await programme_of(self._desk, context), await self._places.chosen(context)
        if slot is None:
            return [SetSlots({"hs_place": "taken"}), Say("utter_hs_hold_lapsed")]
        outcome = await self._registrations.submit(_application(context, programme, number, slot))
        match outcome:
            case Submitted():
                await self._describe(context)
                return await self._booked(context, outcome)
            case Duplicate():
                return [_say_duplicate(outcome)]
            case Incomplete():
                return [Say("utter_hs_not_enough_consent")]
            case NotOnline():
                return [Say("utter_hs_under_age")]
            case NotOpen():
                return [Say("utter_programme_closed", programme_fields(programme))]
            case Full() | Gone():
                return [SetSlots({"hs_place": "taken"}), Say("utter_hs_hold_lapsed")]
            case _:
                assert_never(outcome)

    async def _describe(self, context: ActionContext) -> None:
        """Remember what the form tells of the follower; a form for somebody else tells nothing."""
        if context.slots.get("hs_for_whom") != "self":
            return
        await self._followers.describe(
            context.openid,
            county=text_of(context.slots.get("hs_county")) or None,
            category=text_of(context.slots.get("hs_category")) or None,
            unit=text_of(context.slots.get("hs_employer")) or None,
        )

    async def _booked(self, context: ActionContext, outcome: Submitted) -> Sequence[Event]:
        view = await self._registrations.find_by_receipt(outcome.receipt, context.openid)
        fields: dict[str, FieldValue] = {
            "receipt": outcome.receipt,
            "position": outcome.waitlist_position or 0,
            "place": place_text(view) if view else "",
            "prep": view.site.prep_text if view and view.site else "",
        }
        keys = {Status.APPROVED: "utter_hs_booked", Status.WAITLISTED: "utter_hs_waitlisted"}
        return [
            SetSlots({"hs_receipt": outcome.receipt, "hs_place": "booked"}),
            Say(keys.get(outcome.status, "utter_hs_pending"), fields),
        ]


def _application(context: ActionContext, programme: Programme, number: IdentityNumber, slot: FreeSlot) -> Application:
    given = context.slots.get("consent_ids")
    return Application(
        programme_id=programme.id,
        openid=context.openid,
        key=context.idempotency_key,
        name=text_of(context.slots.get("hs_name")),
        phone=text_of(context.slots.get("hs_mobile")),
        id_number=number.text,
        birth_date=number.birth_date,
        sex=number.sex,
        last_served=_last_served(context),
        county=text_of(context.slots.get("hs_county")) or None,
        slot_id=slot.slot_id,
        relation=text_of(context.slots.get("hs_for_whom")),
        answers={name: context.slots.get(name) for name in ANSWERS if context.slots.get(name) is not None},
        consents={code: int(text_of(value)) for code, value in given.items()} if isinstance(given, dict) else {},
        accept_waiting=context.slots.get("hs_wait") is True,
    )


def _last_served(context: ActionContext) -> date | None:
    """Return the first day of the year in which the follower says the last screening was; None for long ago."""
    ago = YEARS_AGO.get(text_of(context.slots.get("hs_last_time")))
    return None if ago is None else date(context.now.year - ago, 1, 1)


def _first(findings: Sequence[Finding], weight: Weight) -> Finding | None:
    return next((finding for finding in findings if finding.weight is weight), None)


def _say_duplicate(duplicate: Duplicate) -> Say:
    if duplicate.receipt is None:
        return Say("utter_hs_duplicate_other")
    return Say("utter_hs_duplicate", {"receipt": duplicate.receipt, "status": status_label(duplicate.status)})
