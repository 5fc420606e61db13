"""Where and when of the flow ``book_health_screening``: sites, days, times, and the place that is held meanwhile."""

from collections.abc import Sequence
from datetime import date
from typing import assert_never

from actions.programmes import ProgrammeDesk, programme_fields
from actions.slots import day_options, moment_of, site_options, slot_text, span_text, time_options
from actions.wording import day_with_weekday, text_of
from bot.dialogue.events import ActionContext, ActionTable, Event, OfferOptions, Option, Reject, Say, SetSlots
from bot.programmes.models import Programme
from bot.registrations.outcomes import FreeSlot, Full, Gone, Held, NotOpen
from bot.registrations.service import RegistrationService
from bot.values.counties import County
from bot.values.problem import FieldValue, Problem
from bot.values.times import find_times

SECOND_CHOICES_MAX = 6
NO_DAY = Option("none", "都不合适", ("都不行", "不合适", "没有合适的", "一个都不行"))
OTHER_DAY = Option("other_day", "换一天", ("换个日子", "别的日子", "都不合适", "都不行", "不合适"))
WAIT = (
    Option("true", "排候补", ("要", "排", "候补", "等", "等等看")),
    Option("false", "换个时间", ("换", "换时间", "不等", "不排")),
)


class ScreeningPlaces:
    """Offers what is free and holds the place that is chosen."""

    def __init__(self, desk: ProgrammeDesk, registrations: RegistrationService) -> None:
        self._desk = desk
        self._registrations = registrations

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_screening_sites": self.sites,
            "action_screening_hold": self.hold,
            "action_screening_release": self.release,
            "action_screening_nothing_fits": self.nothing_fits,
            "action_ask_hs_county": self.ask_county,
            "action_ask_hs_site": self.ask_site,
            "action_ask_hs_day": self.ask_day,
            "action_ask_hs_time": self.ask_time,
            "action_ask_hs_second_time": self.ask_second_time,
            "action_ask_hs_wait": self.ask_wait,
            "validate_hs_day": self.validate_day,
        }

    async def ask_county(self, context: ActionContext) -> Sequence[Event]:
        """Offer the counties that have sites."""
        slots = await self._registrations.slots((await programme_of(self._desk, context)).id)
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
        programme = await programme_of(self._desk, context)
        options = time_options(await self._slots(context, "hs_site", "hs_day"))
        if not options:
            # The day was named before the site, which has nothing on it.
            return [SetSlots({"hs_time": OTHER_DAY.value})]
        return [OfferOptions((*options, OTHER_DAY), {"hold_minutes": programme.slot_hold_minutes})]

    async def hold(self, context: ActionContext) -> Sequence[Event]:
        """Keep the chosen place while the form is filled in; ``hs_place`` says how it went."""
        programme, slot = await programme_of(self._desk, context), await self.chosen(context)
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
        slot = await self.chosen(context)
        return [OfferOptions(WAIT, {"waiting": slot.waiting if slot else 0})]

    async def ask_second_time(self, context: ActionContext) -> Sequence[Event]:
        """Offer the free times of the site that are nearest to the chosen one."""
        chosen = await self.chosen(context)
        slots = [slot for slot in await self._slots(context, "hs_site") if slot.free > 0 and slot != chosen]
        if chosen is not None:
            slots.sort(key=lambda slot: (abs(slot.day - chosen.day), slot.start))
        nearest = [moment_of(slot) for slot in slots[:SECOND_CHOICES_MAX]]
        return [OfferOptions(tuple(Option(text, text) for text in nearest))]

    async def nothing_fits(self, context: ActionContext) -> Sequence[Event]:
        """No day fits, or there is none: name the other ways."""
        fields = programme_fields(await programme_of(self._desk, context))
        has_slots = bool(await self._slots(context))
        return [Say("utter_hs_nothing_fits" if has_slots else "utter_hs_no_slots", fields)]

    async def _slots(self, context: ActionContext, *narrowed_by: str) -> list[FreeSlot]:
        """Return the slots of the county, narrowed by the slots that are named and filled."""
        county = text_of(context.slots.get("hs_county")) or None
        programme = await programme_of(self._desk, context)
        slots = list(await self._registrations.slots(programme.id, county=county, openid=context.openid))
        site, day = (text_of(context.slots.get(name)) for name in ("hs_site", "hs_day"))
        if "hs_site" in narrowed_by and site:
            slots = [slot for slot in slots if slot.site_name == site]
        if "hs_day" in narrowed_by and day:
            slots = [slot for slot in slots if slot.day.isoformat() == day]
        return slots

    async def chosen(self, context: ActionContext) -> FreeSlot | None:
        """Return the slot of the chosen site, day and time; None when it is over, closed or not chosen yet."""
        wanted = text_of(context.slots.get("hs_time"))
        slots = await self._slots(context, "hs_site", "hs_day")
        return next((slot for slot in slots if span_text(slot) == wanted), None)


async def programme_of(desk: ProgrammeDesk, context: ActionContext) -> Programme:
    """Return the programme that the open form is for."""
    return await desk.get(text_of(context.slots.get("programme_id")))
