"""Another time for a place that is booked: the day first, then the time. The old one is kept until a new one is."""

import re
from collections.abc import Sequence
from datetime import date

from actions.slots import SATURDAY, day_options, slot_options
from actions.wording import day_with_weekday, text_of
from bot.dialogue.events import ActionContext, ActionTable, Event, OfferOptions, Option, Reject, Say, SetSlots
from bot.programmes.models import ProgrammeKind
from bot.registrations.outcomes import FreeSlot
from bot.registrations.service import RegistrationService
from bot.values.dates import parse_date
from bot.values.problem import Problem

WEEKEND = "周末"
MOVED_TO = re.compile("改到|换到|改成|换成|改在")
"""What comes after it is the day that is wished for; a day before it is the one that does not suit."""
OF_TIME = (
    "时间",
    "日期",
    "改期",
    "改约",
    "改到",
    "换到",
    "改成",
    "换成",
    "改在",
    "换一天",
    "改天",
    "哪天",
    "星期",
    "礼拜",
    "下周",
    WEEKEND,
)
"""Words by which a wish to change something is one for another time."""
NO_DAY = Option("none", "都不合适，不改了", ("都不合适", "都不行", "不改了", "算了"))
OTHER_DAY = Option("other_day", "换一天", ("换个日子", "别的日子", "都不合适", "都不行"))


class RebookingActions:
    """Offers what is still free in the county of the registration."""

    def __init__(self, registrations: RegistrationService) -> None:
        self._registrations = registrations

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {
            "action_rebooking_wish": self.wish,
            "action_ask_reg_day": self.ask_day,
            "validate_reg_day": self.validate_day,
            "action_ask_reg_slot": self.ask_slot,
        }

    async def wish(self, context: ActionContext) -> Sequence[Event]:
        """Take from the first words that it is about the time, and which day or part of the week is wished for."""
        receipt = text_of(context.slots.get("reg_receipt"))
        view = await self._registrations.find_by_receipt(receipt, context.openid)
        is_booked = view is not None and view.kind is ProgrammeKind.HEALTH_SCREENING
        if not is_booked or not any(word in context.said for word in OF_TIME):
            return []
        *_, wish = MOVED_TO.split(context.said)
        day = parse_date(wish, today=context.now.date(), past_allowed=False) if wish != context.said else None
        free = {slot.day for slot in await self._free(context)}
        wished = day.isoformat() if isinstance(day, date) and day in free else None
        return [SetSlots({"reg_field": "slot", "reg_day": wished, "reg_weekend": WEEKEND in wish})]

    async def ask_day(self, context: ActionContext) -> Sequence[Event]:
        """Offer the days with free times; those of weekends alone where that was the wish and there are some."""
        free = await self._free(context)
        if not free:
            return [Say("utter_reg_no_slots"), SetSlots({"reg_day": NO_DAY.value})]
        weekends = [slot for slot in free if slot.day.weekday() >= SATURDAY]
        offered = weekends if weekends and context.slots.get("reg_weekend") else free
        return [OfferOptions((*day_options(offered), NO_DAY))]

    async def validate_day(self, context: ActionContext) -> Sequence[Event]:
        """Take only a day on which something is free."""
        day = text_of(context.slots.get("reg_day"))
        if day == NO_DAY.value or any(slot.day.isoformat() == day for slot in await self._free(context)):
            return []
        return [Reject(Problem("screening.no_such_day", {"day": day_with_weekday(date.fromisoformat(day))}))]

    async def ask_slot(self, context: ActionContext) -> Sequence[Event]:
        """Offer the free times of that day, at every site of the county."""
        day = text_of(context.slots.get("reg_day"))
        free = [slot for slot in await self._free(context) if slot.day.isoformat() == day]
        return [OfferOptions((*slot_options(free), OTHER_DAY))]

    async def _free(self, context: ActionContext) -> list[FreeSlot]:
        receipt = text_of(context.slots.get("reg_receipt"))
        view = await self._registrations.find_by_receipt(receipt, context.openid)
        if view is None:
            return []
        slots = await self._registrations.slots(view.programme_id, county=view.county, openid=context.openid)
        present = view.slot.id if view.slot else None
        return [slot for slot in slots if slot.free > 0 and slot.slot_id != present]
