"""The pure rules of the inbox: when staff are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from bot.values.clock import LOCAL_ZONE

SEARCH_DAYS = 60
"""How far ahead the next opening is looked for; a calendar that is closed for longer has a fault."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``opens`` until just before ``closes``, local time, on one day."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}–{self.closes:%H:%M}"


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Stretches by weekday (0 is Monday), and the days that do not follow their weekday.

    ``exceptions`` gives the weekday whose hours a day has, or None for a holiday.
    """

    weekdays: Mapping[int, Sequence[Stretch]]
    exceptions: Mapping[date, int | None] = field(default_factory=dict)

    def stretches(self, day: date) -> Sequence[Stretch]:
        """Return that day's stretches in order; none on a day off."""
        weekday = self.exceptions.get(day, day.weekday())
        return () if weekday is None else self.weekdays.get(weekday, ())

    def is_open(self, moment: datetime) -> bool:
        """Say whether staff are there at an aware ``moment``."""
        local = moment.astimezone(LOCAL_ZONE)
        return any(stretch.opens <= local.time() < stretch.closes for stretch in self.stretches(local.date()))

    def next_opening(self, moment: datetime) -> datetime | None:
        """Return ``moment`` itself when staff are there, else when they come next; None when they never do."""
        local = moment.astimezone(LOCAL_ZONE)
        if self.is_open(local):
            return local
        for ahead in range(SEARCH_DAYS):
            day = local.date() + timedelta(days=ahead)
            for stretch in self.stretches(day):
                opens = datetime.combine(day, stretch.opens, LOCAL_ZONE)
                if opens > local:
                    return opens
        return None
