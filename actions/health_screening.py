"""Actions of the flow ``book_health_screening``."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from actions.programmes import ProgrammeDesk, programme_fields
from actions.slots import day_options, moment_of, site_options, slot_text, span_text, time_options
from actions.standings import place_text, status_label
from actions.wording import HINTS, day_with_weekday, finding_fields, text_of
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
    Submitted,
)
from bot.registrations.service import RegistrationService
from bot.registrations.statuses import Status
from bot.values.clock import Clock
from bot.values.counties import County
from bot.values.identity import IdentityNumber, parse_identity_number
from bot.values.problem import FieldValue, Problem
from bot.values.times import find_times

SECOND_CHOICES_MAX = 6
NO_DAY = Option("none", "都不合适", ("都不行", "不合适", "没有合适的", "一个都不行"))
OTHER_DAY = Option("other_day", "换一天", ("换个日子", "别的日子", "都不合适", "都不行", "不合适"))
WAIT = (
    Option("true", "排候补", ("要", "排", "候补", "等", "等等看")),
    Option("false", "换个时间", ("换", "换时间", "不等", "不排")),
)
GO_ON = (
    Option("go_on", "继续约，请人工看一下", ("继续", "继续约", "人工看", "人工看一下")),
    Option("check", "号码填错了，重新填", ("填错了", "重新填", "重填", "号码错了")),
    Option("stop", "先不约了", ("不约了", "算了")),
)
YEARS_AGO = {"this_year": 0, "last_year": 1, "two_years": 2}
PREFILLED = ("hs_mobile", "hs_employer")
ANSWERS = ("hs_for_whom", "hs_employer", "hs_category", "hs_last_time", "hs_items", "hs_second_time", "hs_needs")


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
            "action_screening_introduce": self.introduce,
            "action_screening_sites": self.sites,
            "action_screening_hold": self.hold,
            "action_screening_release": self.release,
            "action_screening_nothing_fits": self.nothing_fits,
            "action_screening_elsewhere": self.elsewhere,
            "action_screening_submit": self.submit,
            "action_ask_hs_county": self.ask_county,
            "action_ask_hs_site": self.ask_site,
            "action_ask_hs_day": self.ask_day,
            "action_ask_hs_time": self.ask_time,
            "action_ask_hs_second_time": self.ask_second_time,
            "action_ask_hs_wait": self.ask_wait,
            "action_ask_hs_go_on": self.ask_go_on,
            "action_ask_hs_items": self.ask_items,
            "validate_hs_day": self.validate_day,
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
        return [Say("utter_hs_intro", programme_fields(await self._programme(context)))]

    # --- Where and when -------------------------------------------------------------------------------------------

    async def ask_county(self, context: ActionContext) -> Sequence[Event]:
        """Offer the counties that have sites."""
        slots = await self._registrations.slots((await self._programme(context)).id)
        codes = dict.fromkeys(slot.county for slot in slots)
        counties = [County.by_code(code) for code in codes]
        return [OfferOptions(tuple(Option(county.code, county.short, (county.full_name,)) for county in counties))]

    async def sites(self, context: ActionContext) -> Sequence[Event]:
        """Look what the county has; a single site needs no question."""
        slots = await self._slots(context)
        names = {slot.site_name for slot in slots}
        events: list[Event] = [SetSlots({"hs_place": "open" if slots else "none"})]
        if len(names) == 1:
            events.append(SetSlots({"hs_site": names.pop()}))
        return events

    async def ask_site(self, context: ActionContext) -> Sequence[Event]:
        """Offer the sites of the county."""
        return [OfferOptions(site_options(await self._slots(context)))]

    async def ask_day(self, context: ActionContext) -> Sequence[Event]:
        """Offer the days of the site; when all are full, say so: there is still the waiting list."""
        slots = await self._slots(context, "hs_site")
        if not slots:
            return [SetSlots({"hs_day": NO_DAY.value})]
        response = None if any(slot.free > 0 for slot in slots) else "utter_hs_all_full"
        return [OfferOptions((*day_options(slots), NO_DAY), {"site": slots[0].site_name}, response)]

    async def validate_day(self, context: ActionContext) -> Sequence[Event]:
        """Take only a day that is offered, and the time as well when the message names one."""
        day = text_of(context.slots.get("hs_day"))
        slots = await self._slots(context, "hs_site", "hs_day")
        if not slots and day != NO_DAY.value:
            return [Reject(Problem("screening.no_such_day", {"day": day_with_weekday(date.fromisoformat(day))}))]
        said = {hit.value for hit in find_times(context.said)}
        named = [slot for slot in slots if slot.start in said]
        return [SetSlots({"hs_time": span_text(named[0])})] if len(named) == 1 else []

    async def ask_time(self, context: ActionContext) -> Sequence[Event]:
        """Offer the times of that day, full ones too: one can wait for them."""
        programme = await self._programme(context)
        options = time_options(await self._slots(context, "hs_site", "hs_day"))
        if not options:
            # The day was named before the site, which has nothing on it.
            return [SetSlots({"hs_time": OTHER_DAY.value})]
        return [OfferOptions((*options, OTHER_DAY), {"hold_minutes": programme.slot_hold_minutes})]

    async def hold(self, context: ActionContext) -> Sequence[Event]:
        """Keep the chosen place while the form is filled in; ``hs_place`` says how it went."""
        programme, slot = await self._programme(context), await self._chosen(context)
        if slot is None:
            return [SetSlots({"hs_place": "taken"}), Say("utter_hs_just_taken")]
        if slot.free <= 0:
            return [SetSlots({"hs_place": "full"})]
        outcome = await self._registrations.hold_place(
            programme.id, slot.slot_id, context.openid, context.idempotency_key
        )
        match outcome:
            case Held():
                fields: dict[str, FieldValue] = {"place": slot_text(slot), "minutes": programme.slot_hold_minutes}
                return [SetSlots({"hs_place": "held", "hs_wait": None}), Say("utter_hs_held", fields)]
            case Full() | Gone():
                return [SetSlots({"hs_place": "taken"}), Say("utter_hs_just_taken")]
            case NotOpen():
                return [SetSlots({"hs_place": "closed"}), Say("utter_programme_closed", programme_fields(programme))]
            case _:
                assert_never(outcome)

    async def release(self, context: ActionContext) -> Sequence[Event]:
        """Give the place back at once when the form is thrown away."""
        programme_id = text_of(context.slots.get("programme_id"))
        if programme_id:
            await self._registrations.release_hold(programme_id, context.openid)
        return []

    async def ask_wait(self, context: ActionContext) -> Sequence[Event]:
        """Say how many wait for this time."""
        slot = await self._chosen(context)
        return [OfferOptions(WAIT, {"waiting": slot.waiting if slot else 0})]

    async def ask_second_time(self, context: ActionContext) -> Sequence[Event]:
        """Offer the free times of the site that are nearest to the chosen one."""
        chosen = await self._chosen(context)
        slots = [slot for slot in await self._slots(context, "hs_site") if slot.free > 0 and slot != chosen]
        if chosen is not None:
            slots.sort(key=lambda slot: (abs(slot.day - chosen.day), slot.start))
        nearest = [moment_of(slot) for slot in slots[:SECOND_CHOICES_MAX]]
        return [OfferOptions(tuple(Option(text, text) for text in nearest))]

    async def nothing_fits(self, context: ActionContext) -> Sequence[Event]:
        """No day fits, or there is none: name the other ways."""
        fields = programme_fields(await self._programme(context))
        has_slots = bool(await self._slots(context))
        return [Say("utter_hs_nothing_fits" if has_slots else "utter_hs_no_slots", fields)]

    async def _slots(self, context: ActionContext, *narrowed_by: str) -> list[FreeSlot]:
        """Return the slots of the county, narrowed by the slots that are named and filled."""
        county = text_of(context.slots.get("hs_county")) or None
        programme = await self._programme(context)
        slots = list(await self._registrations.slots(programme.id, county=county, openid=context.openid))
        site, day = (text_of(context.slots.get(name)) for name in ("hs_site", "hs_day"))
        if "hs_site" in narrowed_by and site:
            slots = [slot for slot in slots if slot.site_name == site]
        if "hs_day" in narrowed_by and day:
            slots = [slot for slot in slots if slot.day.isoformat() == day]
        return slots

    async def _chosen(self, context: ActionContext) -> FreeSlot | None:
        wanted = text_of(context.slots.get("hs_time"))
        slots = await self._slots(context, "hs_site", "hs_day")
        return next((slot for slot in slots if span_text(slot) == wanted), None)

    # --- Who ------------------------------------------------------------------------------------------------------

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
        programme = await self._programme(context)
        found = [one for one in self._findings(programme, number) if one.weight is Weight.REVIEW]
        fields = {**programme_fields(programme), **finding_fields(found)}
        return [OfferOptions(GO_ON, fields, HINTS[found[0].code])]

    async def elsewhere(self, context: ActionContext) -> Sequence[Event]:
        """The follower stops here: give the place back, name the other ways."""
        await self.release(context)
        return [Say("utter_hs_elsewhere", programme_fields(await self._programme(context)))]

    async def validate_last_time(self, context: ActionContext) -> Sequence[Event]:
        """Note the interval of the rules when the last screening was too recent; it never stops anybody."""
        programme = await self._programme(context)
        person = Person(None, programme.sex, _last_served(context))
        found = _first(precheck(programme, person, self._clock.now().date()), Weight.REVIEW)
        return [SetSlots({"hs_recent_months": None if found is None else programme.repeat_interval_months})]

    async def ask_items(self, context: ActionContext) -> Sequence[Event]:
        """Offer the programme's own items."""
        programme = await self._programme(context)
        options = tuple(Option(item.code, item.label) for item in programme.choices.get("items", ()))
        return [OfferOptions(options)] if options else [SetSlots({"hs_items": []})]

    # --- Submitting -----------------------------------------------------------------------------------------------

    async def submit(self, context: ActionContext) -> Sequence[Event]:
        """Book the place, or a rank on the waiting list; ``hs_place`` is ``taken`` when another time is needed."""
        number = parse_identity_number(text_of(context.slots.get("hs_id")), self._clock.now().date())
        if isinstance(number, Problem):
            return [Reject(number)]
        programme, slot = await self._programme(context), await self._chosen(context)
        if slot is None:
            return [SetSlots({"hs_place": "taken"}), Say("utter_hs_hold_lapsed")]
        outcome = await self._registrations.submit(_application(context, programme, number, slot))
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
                return [SetSlots({"hs_place": "taken"}), Say("utter_hs_hold_lapsed")]
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
            SetSlots({"hs_receipt": outcome.receipt, "hs_place": "booked"}),
            Say(keys.get(outcome.status, "utter_hs_pending"), fields),
        ]

    async def _programme(self, context: ActionContext) -> Programme:
        return await self._desk.get(text_of(context.slots.get("programme_id")))


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
