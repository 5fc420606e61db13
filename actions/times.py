"""Actions of the flows in ``flows/times.yml``: when staff are there, and until when one can register."""

from collections.abc import Sequence

from actions.wording import day_with_weekday, moment_text, time_text
from bot.dialogue.events import ActionContext, ActionTable, Event, Option, Say
from bot.inbox.calendar_table import CalendarTable
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.rules import Closed, NotOpenYet, Open, window_state
from bot.programmes.service import ProgrammeService
from bot.values.clock import LOCAL_ZONE

REGISTERED_FOR = {
    ProgrammeKind.WORK_STUDY: "register_work_study",
    ProgrammeKind.HEALTH_SCREENING: "book_health_screening",
}
"""What people register for within a window, with the flow that does it."""


class TimeActions:
    """Tells times that are rows."""

    def __init__(self, calendar: CalendarTable, programmes: ProgrammeService) -> None:
        self._calendar = calendar
        self._programmes = programmes

    def table(self) -> ActionTable:
        """Return the handlers by name."""
        return {"action_office_hours": self.office_hours, "action_registration_windows": self.windows}

    async def office_hours(self, context: ActionContext) -> Sequence[Event]:
        """Say today's hours; on a day off, and after them, when staff come next."""
        calendar = await self._calendar.calendar()
        now = context.now.astimezone(LOCAL_ZONE)
        hours = "、".join(f"{time_text(one.opens)}–{time_text(one.closes)}" for one in calendar.stretches(now.date()))
        next_start = calendar.next_start(now)
        if calendar.is_open(now) or (next_start is not None and next_start.date() == now.date()):
            return [Say("utter_office_today", {"hours": hours})]
        if next_start is None:
            return [Say("utter_office_unknown")]
        opens = f"{day_with_weekday(next_start.date())}{time_text(next_start.time())}"
        return [Say("utter_office_closed", {"opens": opens})]

    async def windows(self, context: ActionContext) -> Sequence[Event]:
        """Say until when, or from when, one can register for each programme; those that are open can be begun."""
        found = [(kind, await self._programmes.current(kind)) for kind in REGISTERED_FOR]
        said: list[Event] = []
        for kind, programme in found:
            if programme is not None:
                said.append(_window(programme, kind, context))
        return said or [Say("utter_windows_none")]


def _window(programme: Programme, kind: ProgrammeKind, context: ActionContext) -> Say:
    fields = {
        "title": programme.title,
        "open": moment_text(programme.open_at),
        "close": moment_text(programme.close_at),
    }
    state = window_state(programme, context.now)
    match state:
        case Open():
            flow = REGISTERED_FOR[kind]
            return Say("utter_window_open", fields, (Option(flow, programme.title, next_flow=flow),))
        case NotOpenYet():
            return Say("utter_window_not_open", fields)
        case Closed():
            return Say("utter_window_closed", fields)
