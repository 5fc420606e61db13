"""Many slots from a few words: which days, which hours, how many places. Pure."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, time, timedelta
from itertools import pairwise

from bot.programmes.models import Slot
from bot.values.characters import fold
from bot.values.problem import Problem

PLAN_DAYS_MAX = 366
PLAN_SLOTS_MAX = 5_000
CAPACITY_MAX = 2_000
CHANGED_MAX = 500
MOVED_MAX = 100
"""How many slots are changed in one step, or emptied in one piece of work."""

_CLOCK = r"(\d{1,2})[:.点时](\d{2})?分?"
_LINE = re.compile(rf"{_CLOCK}\s*(?:-|~|到|至|—)+\s*{_CLOCK}(?:\s*[,、x*]?\s*(\d{{1,6}})\s*(?:个|人|名|位|号)*)?")


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of a day, and how many places it has."""

    start: time
    end: time
    capacity: int


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """The slots to make: each of ``hours`` at each of ``site_ids`` on each of ``days``."""

    programme_id: str
    site_ids: tuple[int, ...]
    days: tuple[date, ...]
    hours: tuple[Hours, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """Return every slot of the plan, whether it exists or not."""
        return tuple(
            Slot(
                programme_id=self.programme_id,
                site_id=site_id,
                day=day,
                start=hours.start,
                end=hours.end,
                capacity=hours.capacity,
            )
            for site_id in self.site_ids
            for day in self.days
            for hours in self.hours
        )


def days_of(
    first: date, last: date, weekdays: Collection[int], but: Collection[date] = ()
) -> tuple[date, ...] | Problem:
    """Return the days from ``first`` to ``last`` on ``weekdays`` (0 is Monday) that are not in ``but``."""
    if last < first:
        return Problem("programme.days_ends_before_start")
    if (last - first).days >= PLAN_DAYS_MAX:
        return Problem("programme.days_too_many", {"most": PLAN_DAYS_MAX})
    every = (first + timedelta(days=number) for number in range((last - first).days + 1))
    days = tuple(day for day in every if day.weekday() in weekdays and day not in but)
    return days or Problem("programme.days_none")


def read_hours(text: str, *, places: int | None) -> tuple[Hours, ...] | Problem:
    """Return the stretches that ``text`` names, one a line: ``8:30-9:30 12``; ``places`` where a line names none."""
    found: list[Hours] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        read = _read_line(line, number, places)
        if isinstance(read, Problem):
            return read
        found.append(read)
    if not found:
        return Problem("programme.hours_none")
    found.sort(key=lambda hours: hours.start)
    for earlier, later in pairwise(found):
        if later.start < earlier.end:
            fields = {"first": f"{earlier.start:%H:%M}", "second": f"{later.start:%H:%M}"}
            return Problem("programme.hours_overlap", fields)
    return tuple(found)


def _read_line(line: str, number: int, places: int | None) -> Hours | Problem:
    match = _LINE.fullmatch(fold(line).strip())
    if match is None:
        return Problem("programme.hours_unreadable", {"line": number})
    start, end = _clock(match[1], match[2]), _clock(match[3], match[4])
    if start is None or end is None or end <= start:
        return Problem("programme.hours_wrong_way", {"line": number})
    capacity = int(match[5]) if match[5] else places
    if capacity is None:
        return Problem("programme.hours_without_places", {"line": number})
    if not 1 <= capacity <= CAPACITY_MAX:
        return Problem("programme.hours_places_range", {"line": number, "most": CAPACITY_MAX})
    return Hours(start, end, capacity)


def _clock(hour: str, minute: str | None) -> time | None:
    try:
        return time(int(hour), int(minute or 0))
    except ValueError:
        return None


def read_days(text: str, year: int) -> tuple[date, ...] | Problem:
    """Return the single days that ``text`` names: ``2026-06-20``, ``6-20`` or ``6月20日``."""
    days: list[date] = []
    for word in filter(None, re.split(r"[\s,、;]+", fold(text).strip())):
        day = _read_day(word, year)
        if day is None:
            return Problem("programme.day_unreadable", {"word": word[:20]})
        days.append(day)
    return tuple(dict.fromkeys(days))


def _read_day(word: str, year: int) -> date | None:
    match = re.fullmatch(r"(?:(\d{4})[-/.年])?(\d{1,2})[-/.月](\d{1,2})[日号]?", word)
    if match is None:
        return None
    try:
        return date(int(match[1] or year), int(match[2]), int(match[3]))
    except ValueError:
        return None


def too_many(plan: SlotPlan) -> Problem | None:
    """Return a problem when ``plan`` is more than is made at once."""
    count = len(plan.site_ids) * len(plan.days) * len(plan.hours)
    return (
        Problem("programme.slots_too_many", {"slots": count, "most": PLAN_SLOTS_MAX})
        if count > PLAN_SLOTS_MAX
        else None
    )


def run_into(planned: Slot, existing: Sequence[Slot]) -> bool:
    """Say whether ``planned`` is at the same time as one of ``existing``, which are at its site on its day."""
    return any(slot.start < planned.end and planned.start < slot.end for slot in existing)


def too_many_chosen(count: int, most: int) -> Problem | None:
    """Say that more slots were chosen than one step takes; nothing is left out in silence."""
    return Problem("programme.chosen_too_many", {"slots": count, "most": most}) if count > most else None
