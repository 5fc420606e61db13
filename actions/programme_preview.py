"""What followers will read about a programme, before it is open: the bot's own texts with the programme's values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import assert_never

from actions.programmes import programme_fields
from actions.slots import day_options, site_options, time_options
from actions.wording import HINTS, finding_fields, moment_text
from bot.dialogue.events import Option
from bot.dialogue.outcomes import Asked, Outcome, Spoken
from bot.programmes.models import Programme, ProgrammeKind
from bot.programmes.rules import Person, Weight, precheck
from bot.registrations.outcomes import FreeSlot
from bot.values.identity import Sex

OPTIONS_SHOWN = 6
_YEARS_PAST_LIMIT = 2
_WITHOUT_WAITING = 2
"""The wording of the work-study offer for a programme that nobody waits for."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment of the talk: its code, and what the bot says then."""

    code: str
    outcomes: tuple[Outcome, ...]


def scenes(programme: Programme, slots: Sequence[FreeSlot], today: date) -> tuple[Scene, ...]:
    """Return what is said while it is open, step by step, then before, afterwards, and when it is full."""
    fields = programme_fields(programme)
    consents = tuple(
        Spoken(
            "utter_ask_consent_answer", {"consent_text": one.text.replace("{recipients}", "、".join(one.recipients))}
        )
        for one in programme.consents
    )
    found = [
        Scene("offer", tuple(_offer(programme))),
        Scene("consents", consents),
        Scene("places", tuple(_places(programme, slots))),
        Scene("hint", tuple(_hints(programme, today))),
        Scene("before", (Spoken("utter_programme_not_open", fields),)),
        Scene("closed", (Spoken("utter_programme_closed", fields),)),
        Scene("full", (Spoken("utter_programme_full", fields),) if programme.kind.has_places else ()),
    ]
    return tuple(scene for scene in found if scene.outcomes)


def _offer(programme: Programme) -> Iterator[Outcome]:
    fields = programme_fields(programme)
    match programme.kind:
        case ProgrammeKind.HEALTH_SCREENING:
            yield Spoken("utter_hs_intro", fields)
        case ProgrammeKind.WORK_STUDY:
            known = {"programme_title": programme.title, "programme_closes": moment_text(programme.close_at)}
            yield Spoken("utter_ask_ws_start", {**fields, **known}, variant=_WITHOUT_WAITING)
            yield Spoken("utter_ws_conditions", fields)
        case ProgrammeKind.LEGAL_CONSULTATION:
            return
        case _:
            assert_never(programme.kind)


def _places(programme: Programme, slots: Sequence[FreeSlot]) -> Iterator[Outcome]:
    if not programme.kind.books_slots or not slots:
        return
    county = [slot for slot in slots if slot.county == slots[0].county]
    site = [slot for slot in county if slot.site_id == county[0].site_id]
    day = [slot for slot in site if slot.day == site[0].day]
    yield _asked("hs_site", site_options(county))
    yield Asked("hs_day", "utter_ask_hs_day", {"site": site[0].site_name}, day_options(site)[:OPTIONS_SHOWN])
    hold = {"hold_minutes": programme.slot_hold_minutes}
    yield Asked("hs_time", "utter_ask_hs_time", hold, time_options(day)[:OPTIONS_SHOWN])
    items = tuple(Option(item.code, item.label) for item in programme.choices.get("items", ()))
    if items:
        yield _asked("hs_items", items)


def _asked(slot: str, options: tuple[Option, ...]) -> Asked:
    return Asked(slot, f"utter_ask_{slot}", {}, options[:OPTIONS_SHOWN])


def _hints(programme: Programme, today: date) -> Iterator[Outcome]:
    """Say what somebody reads who is a little too old, or a little too young."""
    base = programme.age_base_date or today
    high, low = programme.age_max, programme.age_min
    ages = [high + _YEARS_PAST_LIMIT] if high is not None else [low - _YEARS_PAST_LIMIT] if low is not None else []
    for age in ages:
        born = date(base.year - max(age, 0), 1, 1)
        found = precheck(programme, Person(born, programme.sex or Sex.FEMALE), today)
        hints = [finding for finding in found if finding.weight is Weight.REVIEW]
        if hints:
            yield Spoken(HINTS[hints[0].code], {**programme_fields(programme), **finding_fields(hints)})
