"""What every service that takes registrations says first: is it open, and if not, what can be done."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from actions.wording import day_text, moment_text
from bot.dialogue.events import Event, Say, SetSlots, SlotValue
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.rules import Closed, NotOpenYet, Open, window_state
from bot.programmes.service import ProgrammeService
from bot.values.clock import Clock
from bot.values.problem import FieldValue

NOTHING_PLANNED = "utter_programme_none"


class ProgrammeDesk:
    """Finds the programme to talk about and tells how it stands."""

    def __init__(self, programmes: ProgrammeService, clock: Clock) -> None:
        self._programmes = programmes
        self._clock = clock

    async def open_events(
        self, kind: ProgrammeKind, window_slot: str, more: Mapping[str, SlotValue] | None = None
    ) -> Sequence[Event]:
        """Return the events that begin a registration: slots when it is open, else a helpful answer.

        ``window_slot`` becomes ``open``, ``not_open``, ``closed`` or ``none``; ``more`` is set too when it is open.
        """
        programme = await self._programmes.current(kind)
        if programme is None:
            return [SetSlots({window_slot: "none"}), Say(NOTHING_PLANNED)]
        fields = programme_fields(programme)
        state = window_state(programme, self._clock.now())
        match state:
            case Open():
                slots: dict[str, SlotValue] = {
                    window_slot: "open",
                    "programme_id": programme.id,
                    "programme_title": programme.title,
                    "programme_closes": moment_text(programme.close_at),
                    "service_from": day_text(programme.service_start),
                    "service_to": day_text(programme.service_end),
                }
                return [SetSlots(slots | dict(more or {}))]
            case NotOpenYet():
                return [SetSlots({window_slot: "not_open"}), Say("utter_programme_not_open", fields)]
            case Closed():
                return [SetSlots({window_slot: "closed"}), Say("utter_programme_closed", fields)]
            case _:
                assert_never(state)

    async def open_now(self, kind: ProgrammeKind) -> Programme | None:
        """Return the programme that takes registrations now, if there is one."""
        programme = await self._programmes.current(kind)
        is_open = programme is not None and isinstance(window_state(programme, self._clock.now()), Open)
        return programme if is_open else None

    async def get(self, programme_id: str) -> Programme:
        """Return the programme; raises UnknownProgramme."""
        return await self._programmes.get(programme_id)


def programme_fields(programme: Programme) -> Mapping[str, FieldValue]:
    """Return the fields that texts about a programme may use."""
    return {
        "title": programme.title,
        "open": moment_text(programme.open_at),
        "close": moment_text(programme.close_at),
        "notice": programme.notice_text,
        "stipend": programme.stipend_text or "以本期通知为准",
        "insurance": programme.insurance_text or "以本期通知为准",
        "contact": programme.contact,
        "elsewhere": programme.elsewhere_text,
    }
