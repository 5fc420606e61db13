"""The pure rules of legal consultation: time limits, urgency, group matters, the status machine."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import assert_never

from bot.legal.models import CaseStatus

URGENT_WITHIN_DAYS = 7
"""A limit this near makes a case urgent; the judicial authorities may help in advance (法律援助法第44条)."""

GROUP_FROM_PEOPLE = 10
"""From ten people on it is a group matter, who may choose representatives (劳动争议调解仲裁法第7条)."""


class PeriodUnit(StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class Party(StrEnum):
    """Whose limit it is; only the worker's own makes a case urgent."""

    WORKER = "worker"
    EMPLOYER = "employer"


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """One row of the table of time limits; the fields are explained at the head of ``deadlines.yml``."""

    code: str
    title: str
    topics: tuple[str, ...]
    starts_from: tuple[str, ...]
    period: int
    period_unit: PeriodUnit
    party: Party
    basis: str
    wording: str
    restarts_on: tuple[str, ...] = ()
    open_while: tuple[str, ...] = ()
    starts_from_after_leaving: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineFacts:
    """What is known of a dispute.

    ``dates`` by fact key (``rights_harmed_on``, ``left_on`` …); ``conditions`` names what holds: ``employed``,
    ``wage_claim``, ``ongoing``.
    """

    topic: str
    dates: Mapping[str, date] = field(default_factory=dict)
    conditions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DeadlineHint:
    """A limit with its last day. ``days_left`` is negative once it has passed; that alone decides nothing."""

    code: str
    title: str
    due: date
    days_left: int
    basis: str
    wording: str
    party: Party
    urgent: bool


@dataclass(frozen=True, slots=True)
class NotRunning:
    """A limit that does not run yet, because the worker still works there or the violation goes on."""

    code: str
    title: str
    basis: str
    wording: str


Hint = DeadlineHint | NotRunning


def deadlines(rules: Sequence[DeadlineRule], facts: DeadlineFacts, today: date) -> list[Hint]:
    """Return a hint for each rule that applies: those with a last day first, nearest first, passed ones after them.

    A last day on a weekend or holiday is not moved to the next working day: an early reminder does no harm.
    """
    hints = [hint for rule in rules if (hint := _hint(rule, facts, today)) is not None]
    return sorted(hints, key=_order)


def nearest_due(hints: Sequence[Hint]) -> date | None:
    """Return the first last day of the worker's own limits that has not passed."""
    running = (hint for hint in hints if isinstance(hint, DeadlineHint) and hint.days_left >= 0)
    return min((hint.due for hint in running if hint.party is Party.WORKER), default=None)


def is_urgent(hints: Sequence[Hint]) -> bool:
    """Say whether one of the worker's own limits ends within ``URGENT_WITHIN_DAYS``."""
    return any(isinstance(hint, DeadlineHint) and hint.urgent for hint in hints)


def waiting_rank(due: date | None, *, urgent: bool, group: bool) -> int:
    """Return where a case stands in the queue, the least first: urgent, then groups, then by the nearest limit."""
    band = (0 if urgent else 2) + (0 if group else 1)
    nearest = due or date.max
    return band * 10**8 + nearest.year * 10**4 + nearest.month * 100 + nearest.day


def is_group(people_count: int) -> bool:
    """Say whether that many people make it a group matter."""
    return people_count >= GROUP_FROM_PEOPLE


def add_period(start: date, period: int, unit: PeriodUnit) -> date:
    """Return the last day of a period that begins the day after ``start`` (民法典第201–202条).

    Months and years end on the same day of the month; where that month has no such day, on its last day.
    """
    match unit:
        case PeriodUnit.DAY:
            return start + timedelta(days=period)
        case PeriodUnit.MONTH:
            return _add_months(start, period)
        case PeriodUnit.YEAR:
            return _add_months(start, period * 12)
        case _:
            assert_never(unit)


def _add_months(start: date, months: int) -> date:
    year, month_index = divmod(start.year * 12 + start.month - 1 + months, 12)
    month = month_index + 1
    return date(year, month, min(start.day, calendar.monthrange(year, month)[1]))


def _hint(rule: DeadlineRule, facts: DeadlineFacts, today: date) -> Hint | None:
    if rule.topics and facts.topic not in rule.topics:
        return None
    if rule.open_while and facts.conditions.issuperset(rule.open_while):
        return NotRunning(rule.code, rule.title, rule.basis, rule.wording)
    start = _start(rule, facts)
    if start is None:
        return None
    due = _due_after_restarts(rule, facts, start)
    days_left = (due - today).days
    urgent = rule.party is Party.WORKER and 0 <= days_left <= URGENT_WITHIN_DAYS
    return DeadlineHint(rule.code, rule.title, due, days_left, rule.basis, rule.wording, rule.party, urgent)


def _start(rule: DeadlineRule, facts: DeadlineFacts) -> date | None:
    if rule.starts_from_after_leaving and "wage_claim" in facts.conditions:
        left = facts.dates.get(rule.starts_from_after_leaving)
        if left is not None:
            return left
    return next((facts.dates[key] for key in rule.starts_from if key in facts.dates), None)


def _due_after_restarts(rule: DeadlineRule, facts: DeadlineFacts, start: date) -> date:
    """Begin anew at each interrupting event, in order; one that comes after the limit has passed revives nothing."""
    due = add_period(start, rule.period, rule.period_unit)
    for event in sorted(facts.dates[key] for key in rule.restarts_on if key in facts.dates):
        if start < event <= due:
            start, due = event, add_period(event, rule.period, rule.period_unit)
    return due


def _order(hint: Hint) -> tuple[int, date]:
    match hint:
        case DeadlineHint():
            return (0 if hint.days_left >= 0 else 1, hint.due)
        case NotRunning():
            return (2, date.max)
        case _:
            assert_never(hint)


TRANSITIONS: Mapping[CaseStatus, frozenset[CaseStatus]] = {
    CaseStatus.PENDING: frozenset({CaseStatus.ASSIGNED, CaseStatus.RETURNED, CaseStatus.CANCELLED}),
    CaseStatus.ASSIGNED: frozenset(
        {CaseStatus.PENDING, CaseStatus.CONTACTED, CaseStatus.RETURNED, CaseStatus.CANCELLED}
    ),
    CaseStatus.CONTACTED: frozenset(
        {CaseStatus.ANSWERING, CaseStatus.RETURNED, CaseStatus.COMPLETED, CaseStatus.CANCELLED}
    ),
    CaseStatus.ANSWERING: frozenset({CaseStatus.RETURNED, CaseStatus.COMPLETED, CaseStatus.CANCELLED}),
    CaseStatus.RETURNED: frozenset(
        {CaseStatus.PENDING, CaseStatus.ASSIGNED, CaseStatus.ANSWERING, CaseStatus.COMPLETED, CaseStatus.CANCELLED}
    ),
    CaseStatus.COMPLETED: frozenset({CaseStatus.FOLLOWED_UP}),
    CaseStatus.FOLLOWED_UP: frozenset(),
    CaseStatus.CANCELLED: frozenset(),
}
"""Which status may follow which."""

UNIFIED_STATUS: Mapping[CaseStatus, str] = {
    CaseStatus.PENDING: "pending",
    CaseStatus.ASSIGNED: "approved",
    CaseStatus.CONTACTED: "approved",
    CaseStatus.ANSWERING: "approved",
    CaseStatus.RETURNED: "returned",
    CaseStatus.COMPLETED: "completed",
    CaseStatus.FOLLOWED_UP: "completed",
    CaseStatus.CANCELLED: "cancelled",
}
"""The status that all services share, for lists and reports across them."""


def may_change(status: CaseStatus) -> bool:
    """Say whether the worker may still correct or cancel the case by themselves."""
    return CaseStatus.CANCELLED in TRANSITIONS[status]
