"""The pure rules of the inbox: when staff are there, by when a chat should be answered and ended, what is overdue."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

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
        return moment.astimezone(LOCAL_ZONE) if self.is_open(moment) else self.next_start(moment)

    def next_start(self, moment: datetime) -> datetime | None:
        """Return when staff begin the next time after ``moment``, also while they are there; None when never."""
        local = moment.astimezone(LOCAL_ZONE)
        for ahead in range(SEARCH_DAYS):
            day = local.date() + timedelta(days=ahead)
            for stretch in self.stretches(day):
                opens = datetime.combine(day, stretch.opens, LOCAL_ZONE)
                if opens > local:
                    return opens
        return None

    def after(self, start: datetime, minutes: int) -> datetime | None:
        """Return when ``minutes`` of working time have passed since ``start``; None when that is too far ahead."""
        left = timedelta(minutes=minutes)
        for opens, closes in self._ahead(start.astimezone(LOCAL_ZONE)):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
        return None

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Return how many minutes of working time lie between two moments, of at most ``SEARCH_DAYS`` days."""
        local_end = end.astimezone(LOCAL_ZONE)
        worked = timedelta()
        for opens, closes in self._ahead(start.astimezone(LOCAL_ZONE)):
            if opens >= local_end:
                break
            worked += min(closes, local_end) - opens
        return int(worked.total_seconds() // 60)

    def _ahead(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Give the stretches from ``start`` on, the first one cut to what is left of it."""
        for ahead in range(SEARCH_DAYS):
            day = start.date() + timedelta(days=ahead)
            for stretch in self.stretches(day):
                closes = datetime.combine(day, stretch.closes, LOCAL_ZONE)
                if closes > start:
                    yield max(start, datetime.combine(day, stretch.opens, LOCAL_ZONE)), closes


@dataclass(frozen=True, slots=True)
class Targets:
    """How soon a queue means to answer first and to be done, in minutes of working time or of any time."""

    first_answer_minutes: int
    resolution_minutes: int
    around_the_clock: bool


@dataclass(frozen=True, slots=True)
class DueMoments:
    """By when a chat should be answered first, and ended; None where the calendar knows no such moment."""

    first_answer_at: datetime | None
    resolution_at: datetime | None


def due_moments(since: datetime, targets: Targets, calendar: WorkingCalendar) -> DueMoments:
    """Return what ``targets`` ask of a chat that began at ``since``."""
    first, last = targets.first_answer_minutes, targets.resolution_minutes
    if targets.around_the_clock:
        return DueMoments(since + timedelta(minutes=first), since + timedelta(minutes=last))
    return DueMoments(calendar.after(since, first), calendar.after(since, last))


class Mark(StrEnum):
    """How a chat stands to one of its targets. ``SOON`` is the last quarter of the time."""

    NONE = "none"
    IN_TIME = "in_time"
    SOON = "soon"
    OVERDUE = "overdue"
    MET = "met"
    MISSED = "missed"


def mark_of(began_at: datetime, due_at: datetime | None, done_at: datetime | None, now: datetime) -> Mark:
    """Return the mark for a target that was set at ``began_at``; ``done_at`` is when it was reached."""
    if due_at is None:
        return Mark.NONE
    if done_at is not None:
        return Mark.MET if done_at <= due_at else Mark.MISSED
    if now > due_at:
        return Mark.OVERDUE
    return Mark.SOON if now > due_at - (due_at - began_at) / 4 else Mark.IN_TIME


REOPEN_WITHIN = timedelta(days=30)
"""How long after its end a chat can be taken up again; a later matter is a chat of its own."""


def must_be_told(calendar: WorkingCalendar, told_at: datetime | None, now: datetime) -> datetime | None:
    """Return when staff come next if nobody is there now and the follower has not been told since they left."""
    if calendar.is_open(now):
        return None
    opening = calendar.next_opening(now)
    is_known = told_at is not None and calendar.minutes_between(told_at, now) == 0
    return None if is_known else opening
