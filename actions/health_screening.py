"""Actions of the flow ``book_health_screening``."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from actions.programmes import ProgrammeDesk, programme_fields
from actions.standings import place_text, status_label
from actions.wording import HINTS, day_with_weekday, finding_fields, text_of, time_text
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
    Held,
    Incomplete,
    NotOnline,
    NotOpen,
    SubmitOutcome,
    Submitted,
)
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.values.clock import Clock
from bot.values.counties import County
from bot.values.identity import IdentityNumber, parse_identity_number
from bot.values.problem import FieldValue, Problem

SHOWN_MAX = 9
NONE_FITS = Option("none", "都不合适", ("都不行", "不合适", "没有合适的"))
GO_ON = (
    Option("go_on", "继续约，请人工看一下", ("继续", "人工看")),
    Option("check", "身份证号填错了，重新填", ("填错了", "重新填", "重填")),
    Option("stop", "先不约了", ("不约了", "算了")),
)
YEARS_AGO = {"this_year": 0, "last_year": 1, "two_years": 2}
PREFILLED = ("hs_mobile", "hs_employer")
ANSWERS = ("hs_for_whom", "hs_employer", "hs_category", "hs_last_time", "hs_items", "hs_second_slot", "hs_needs")


class HealthScreeningActions:
    """Reads the form's slots, holds and books places, returns events."""

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

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_screening_open": self.open,
            "action_screening_hold": self.hold,
            "action_screening_release": self.release,
            "action_screening_nothing_fits": self.nothing_fits,
            "action_screening_elsewhere": self.elsewhere,
            "action_screening_recent": self.recent,
            "action_screening_submit": self.submit,
            "action_ask_hs_county": self.ask_county,
            "action_ask_hs_slot": self.ask_slot,
            "action_ask_hs_second_slot": self.ask_second_slot,
            "action_ask_hs_wait": self.ask_wait,
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

    async def ask_county(self, context: ActionContext) -> Sequence[Event]:
        """Offer the counties that have sites."""
        programme = await self._programme(context)
        slots = await self._registrations.slots(programme.id)
        codes = dict.fromkeys(slot.county for slot in slots)
        counties = [County.by_code(code) for code in codes]
        return [OfferOptions(tuple(Option(county.code, county.short, (county.full_name,)) for county in counties))]

    async def ask_slot(self, context: ActionContext) -> Sequence[Event]:
        """Offer free times in the county; only when all are full, the full ones to wait for."""
        programme = await self._programme(context)
        slots = await self._county_slots(context, programme)
        free = [slot for slot in slots if slot.free > 0]
        if not slots:
            return [
                SetSlots({"hs_slot": "none"}),
                Say("utter_hs_no_slots", programme_fields(programme)),
            ]
        options = tuple(_slot_option(slot) for slot in (free or slots)[:SHOWN_MAX])
        response = None if free else "utter_hs_all_full"
        return [OfferOptions((*options, NONE_FITS), {"hold_minutes": programme.slot_hold_minutes}, response)]

    async def ask_second_slot(self, context: ActionContext) -> Sequence[Event]:
        """Offer the other times of the county."""
        chosen = text_of(context.slots.get("hs_slot"))
        slots = await self._county_slots(context, await self._programme(context))
        others = [slot for slot in slots if str(slot.slot_id) != chosen]
        if not others:
            return [SetSlots({"hs_second_slot": None})]
        return [OfferOptions(tuple(_slot_option(slot) for slot in others[:SHOWN_MAX]))]

    async def _county_slots(self, context: ActionContext, programme: Programme) -> Sequence[FreeSlot]:
        county = text_of(context.slots.get("hs_county")) or None
        return await self._registrations.slots(programme.id, county=county, openid=context.openid)

    async def hold(self, context: ActionContext) -> Sequence[Event]:
        """Keep the chosen place while the form is filled in; ``hs_place`` says how it went."""
        programme = await self._programme(context)
        slot_id = int(text_of(context.slots.get("hs_slot")))
        outcome = await self._registrations.hold_place(programme.id, slot_id, context.openid, context.idempotency_key)
        match outcome:
            case Held():
                slot = await self._slot(context, programme, slot_id)
                fields: dict[str, FieldValue] = {
                    "place": _slot_text(slot) if slot else "",
                    "minutes": programme.slot_hold_minutes,
                }
                return [SetSlots({"hs_place": "held"}), Say("utter_hs_held", fields)]
            case Full():
                if outcome.alternatives:
                    return [SetSlots({"hs_place": "taken"}), Say("utter_hs_just_taken")]
                return [SetSlots({"hs_place": "full"})]
            case Gone():
                return [SetSlots({"hs_place": "taken"}), Say("utter_hs_just_taken")]
            case NotOpen():
                return [SetSlots({"hs_place": "taken"}), Say("utter_programme_closed", programme_fields(programme))]
            case _:
                assert_never(outcome)

    async def _slot(self, context: ActionContext, programme: Programme, slot_id: int) -> FreeSlot | None:
        slots = await self._registrations.slots(programme.id, openid=context.openid)
        return next((slot for slot in slots if slot.slot_id == slot_id), None)

    async def release(self, context: ActionContext) -> Sequence[Event]:
        """Give the place back at once when the form is thrown away."""
        programme_id = text_of(context.slots.get("programme_id"))
        if programme_id:
            await self._registrations.release_hold(programme_id, context.openid)
        return []

    async def ask_wait(self, context: ActionContext) -> Sequence[Event]:
        """Say how many wait for this time."""
        programme = await self._programme(context)
        slot = await self._slot(context, programme, int(text_of(context.slots.get("hs_slot"))))
        yes_no = (Option("yes", "排候补", ("要", "排", "要得", "好")), Option("no", "换个时间", ("不", "不要", "换")))
        return [OfferOptions(yes_no, {"waiting": slot.waiting if slot else 0})]

    async def nothing_fits(self, context: ActionContext) -> Sequence[Event]:
        """No time fits: name the other ways."""
        return [Say("utter_hs_nothing_fits", programme_fields(await self._programme(context)))]

    async def elsewhere(self, context: ActionContext) -> Sequence[Event]:
        """The follower stops here: give the place back, name the other ways."""
        await self.release(context)
        return [Say("utter_hs_elsewhere", programme_fields(await self._programme(context)))]

    async def validate_id(self, context: ActionContext) -> Sequence[Event]:
        """Compare age and sex with the programme's rules; a person decides where they do not fit."""
        number = parse_identity_number(text_of(context.slots.get("hs_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await self._programme(context)
        findings = self._findings(programme, number)
        offline = _first(findings, Weight.OFFLINE)
        review = _first(findings, Weight.REVIEW)
        duplicate = await self._registrations.duplicate_of(programme.id, number.text, context.openid)
        events: list[Event] = [
            SetSlots(
                {
                    "hs_offline": offline.code if offline else None,
                    "hs_review_hint": review.code if review else None,
                }
            )
        ]
        if duplicate is not None and not duplicate.editable:
            events.append(_say_duplicate(duplicate))
        return events

    def _findings(self, programme: Programme, number: IdentityNumber) -> Sequence[Finding]:
        return precheck(programme, Person(number.birth_date, number.sex), self._clock.now().date())

    async def ask_go_on(self, context: ActionContext) -> Sequence[Event]:
        """Say what does not fit the rules of this period; going on is always possible."""
        number = parse_identity_number(text_of(context.slots.get("hs_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        findings = [
            finding
            for finding in self._findings(await self._programme(context), number)
            if finding.weight is Weight.REVIEW
        ]
        fields = {**programme_fields(await self._programme(context)), **finding_fields(findings)}
        return [OfferOptions(GO_ON, fields, HINTS[findings[0].code])]

    async def validate_last_time(self, context: ActionContext) -> Sequence[Event]:
        """Note whether the last screening was so recent that a hint is due."""
        programme = await self._programme(context)
        ago = YEARS_AGO.get(text_of(context.slots.get("hs_last_time")))
        months = programme.repeat_interval_months
        return [SetSlots({"hs_recent": ago is not None and months is not None and ago * 12 < months})]

    async def recent(self, context: ActionContext) -> Sequence[Event]:
        """Hint at the interval; it never stops anybody."""
        programme = await self._programme(context)
        return [Say("utter_hs_recent", {"months": programme.repeat_interval_months or 0})]

    async def ask_items(self, context: ActionContext) -> Sequence[Event]:
        """Offer the programme's own items."""
        programme = await self._programme(context)
        options = tuple(Option(item.code, item.label) for item in programme.choices.get("items", ()))
        return [OfferOptions(options)] if options else [SetSlots({"hs_items": []})]

    async def submit(self, context: ActionContext) -> Sequence[Event]:
        """Book the place, or a rank on the waiting list."""
        today = self._clock.now().date()
        number = parse_identity_number(text_of(context.slots.get("hs_id")), today)
        if isinstance(number, Problem):
            return [Reject(number)]
        programme = await self._programme(context)
        outcome = await self._registrations.submit(_application(context, programme, number))
        await self._followers.save_profile(
            context.openid, {name: text_of(context.slots.get(name)) for name in PREFILLED}
        )
        return await self._submitted(context, programme, outcome)

    async def _submitted(
        self, context: ActionContext, programme: Programme, outcome: SubmitOutcome
    ) -> Sequence[Event]:
        match outcome:
            case Submitted():
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
                return [Say("utter_programme_full", programme_fields(programme))]
            case _:
                assert_never(outcome)

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
            SetSlots({"hs_receipt": outcome.receipt}),
            Say(keys.get(outcome.status, "utter_hs_pending"), fields),
        ]

    async def _programme(self, context: ActionContext) -> Programme:
        return await self._desk.get(text_of(context.slots.get("programme_id")))


def _application(context: ActionContext, programme: Programme, number: IdentityNumber) -> Application:
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
        county=text_of(context.slots.get("hs_county")) or None,
        slot_id=int(text_of(context.slots.get("hs_slot"))),
        relation=text_of(context.slots.get("hs_for_whom")),
        answers={name: context.slots.get(name) for name in ANSWERS if context.slots.get(name) is not None},
        consents={code: int(text_of(value)) for code, value in given.items()} if isinstance(given, dict) else {},
    )


def _first(findings: Sequence[Finding], weight: Weight) -> Finding | None:
    return next((finding for finding in findings if finding.weight is weight), None)


def _slot_text(slot: FreeSlot) -> str:
    return f"{slot.site_name} {day_with_weekday(slot.day)} {time_text(slot.start)}–{time_text(slot.end)}"


def _slot_option(slot: FreeSlot) -> Option:
    rest = f"余{slot.free}" if slot.free > 0 else f"候补（已有{slot.waiting}人）"
    half = "上午" if slot.start.hour < 12 else "下午"
    day: date = slot.day
    return Option(str(slot.slot_id), f"{_slot_text(slot)} {rest}", (f"{day.month}月{day.day}日{half}",))


def _say_duplicate(duplicate: Duplicate) -> Say:
    if duplicate.receipt is None:
        return Say("utter_hs_duplicate_other")
    return Say("utter_hs_duplicate", {"receipt": duplicate.receipt, "status": status_label(duplicate.status)})
