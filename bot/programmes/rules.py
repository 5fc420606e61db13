"""The pure rules of a programme: its window, the pre-check of a person, what must be handed in, its own faults.

A pre-check gives hints. Nothing here refuses anybody: a person decides, and every finding can be looked at by one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum

from bot.programmes.models import Condition, Programme, ProgrammeKind, ProgrammeStatus, Slot
from bot.values.clock import LOCAL_ZONE
from bot.values.identity import Sex
from bot.values.problem import FieldValue

ONLINE_AGE = 14
"""Below it nothing is collected online (personal information protection law, art. 31)."""
WORKING_AGE = 16
"""Below it nobody may be placed in work (labour law, art. 15)."""
ADULT_AGE = 18
"""Below it a guardian must agree."""


@dataclass(frozen=True, slots=True)
class NotOpenYet:
    opens_at: datetime


@dataclass(frozen=True, slots=True)
class Open:
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Closed:
    closed_at: datetime


WindowState = NotOpenYet | Open | Closed


class Weight(StrEnum):
    """What follows from a finding: a person has a look, something more is needed, or it cannot be done online."""

    REVIEW = "review"
    NEEDED = "needed"
    OFFLINE = "offline"


@dataclass(frozen=True, slots=True)
class Finding:
    """One hint of the pre-check. ``code`` is a text key, ``fields`` fill it."""

    code: str
    weight: Weight
    fields: Mapping[str, FieldValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Person:
    """What the pre-check may know. ``None``: unknown, then that rule gives no hint."""

    birth_date: date | None = None
    sex: Sex | None = None
    last_served: date | None = None


def window_state(programme: Programme, now: datetime) -> WindowState:
    """Say whether ``programme`` takes registrations at ``now``: from ``open_at`` until just before ``close_at``."""
    if programme.status is ProgrammeStatus.CLOSED:
        return Closed(min(programme.close_at, now))
    if now >= programme.close_at:
        return Closed(programme.close_at)
    if now < programme.open_at:
        return NotOpenYet(programme.open_at)
    return Open(programme.close_at)


def age_on(birth_date: date, day: date) -> int:
    """Return the full years on ``day``. Who is born on 29 February grows older on 1 March in common years."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def months_later(day: date, months: int) -> date:
    """Return the same day ``months`` later, or the first of the month after where that month is too short."""
    years, month0 = divmod(day.month - 1 + months, 12)
    try:
        return date(day.year + years, month0 + 1, day.day)
    except ValueError:
        years, month0 = divmod(day.month + months, 12)
        return date(day.year + years, month0 + 1, 1)


def precheck(programme: Programme, person: Person, today: date) -> tuple[Finding, ...]:
    """Return what a person should look at before ``person`` gets a place; empty where nothing speaks against it."""
    checks = (_minor_findings, _age_findings, _sex_findings, _interval_findings)
    return tuple(finding for check in checks for finding in check(programme, person, today))


def _minor_findings(programme: Programme, person: Person, today: date) -> list[Finding]:
    born = person.birth_date
    if born is None:
        return []
    age = age_on(born, today)
    if age < ONLINE_AGE:
        return [Finding("minor.under_14", Weight.OFFLINE, {"age": age})]
    if programme.kind is ProgrammeKind.WORK_STUDY:
        age_at_start = age_on(born, programme.service_start)
        if age_at_start < WORKING_AGE:
            start = programme.service_start.isoformat()
            return [Finding("minor.under_16", Weight.OFFLINE, {"age": age_at_start, "base_date": start})]
    if age < ADULT_AGE:
        return [Finding("minor.guardian_consent", Weight.NEEDED, {"age": age})]
    return []


def _age_findings(programme: Programme, person: Person, today: date) -> list[Finding]:
    if person.birth_date is None:
        return []
    base = programme.age_base_date or today
    age = age_on(person.birth_date, base)
    low, high = programme.age_min, programme.age_max
    fields: dict[str, FieldValue] = {"age": age, "base_date": base.isoformat()}
    if low is not None and age < low:
        return [Finding("age.too_young", Weight.REVIEW, fields | _limits(low, high))]
    if high is not None and age > high:
        return [Finding("age.too_old", Weight.REVIEW, fields | _limits(low, high))]
    return []


def _limits(low: int | None, high: int | None) -> dict[str, FieldValue]:
    return {name: limit for name, limit in (("age_min", low), ("age_max", high)) if limit is not None}


def _sex_findings(programme: Programme, person: Person, _today: date) -> list[Finding]:
    if programme.sex is None or person.sex is programme.sex:
        return []
    if person.sex is None:
        return [Finding("sex.unknown", Weight.REVIEW, {"wanted": programme.sex.value})]
    return [Finding("sex.differs", Weight.REVIEW, {"wanted": programme.sex.value})]


def _interval_findings(programme: Programme, person: Person, today: date) -> list[Finding]:
    if programme.repeat_interval_months is None or person.last_served is None:
        return []
    again_from = months_later(person.last_served, programme.repeat_interval_months)
    if max(today, programme.service_start) >= again_from:
        return []
    fields: dict[str, FieldValue] = {
        "months": programme.repeat_interval_months,
        "last_served": person.last_served.isoformat(),
        "again_from": again_from.isoformat(),
    }
    return [Finding("interval.too_soon", Weight.REVIEW, fields)]


def facts_of(answers: Mapping[str, object], *, minor: bool) -> dict[str, str]:
    """Return the facts that conditions are asked about: the answers that are texts, and ``minor``."""
    facts = {name: value for name, value in answers.items() if isinstance(value, str)}
    return facts | {"minor": "yes" if minor else "no"}


def is_minor(birth_date: date | None, today: date) -> bool:
    """Say whether somebody is under 18 today; unknown birth dates count as grown up and are checked by staff."""
    return birth_date is not None and age_on(birth_date, today) < ADULT_AGE


def holds(condition: Condition, facts: Mapping[str, str]) -> bool:
    """Say whether every fact that ``condition`` names has one of its values."""
    return all(facts.get(name) in values for name, values in condition.items())


def materials_needed(programme: Programme, facts: Mapping[str, str], stage: str = "apply") -> tuple[str, ...]:
    """Return the codes of the files that somebody with these ``facts`` hands in at ``stage``."""
    rules = programme.required_materials
    return tuple(rule.code for rule in rules if rule.stage == stage and holds(rule.needed_when, facts))


def consents_needed(programme: Programme, facts: Mapping[str, str]) -> tuple[str, ...]:
    """Return the codes of the consents without which nothing is accepted."""
    return tuple(consent.code for consent in programme.consents if holds(consent.needed_when, facts))


def priority(programme: Programme, facts: Mapping[str, str]) -> int:
    """Return the points by which staff see an application higher up; the order only, never a decision."""
    return sum(rule.points for rule in programme.priority_rules if holds(rule.when, facts))


def slot_start(slot: Slot) -> datetime:
    """Return the moment ``slot`` begins."""
    return datetime.combine(slot.day, slot.start, LOCAL_ZONE)


def change_deadline(programme: Programme, slot: Slot) -> datetime:
    """Return the last moment to change or cancel ``slot`` by oneself."""
    return slot_start(slot) - timedelta(hours=programme.cancel_deadline_hours)


_FAULTS: tuple[tuple[str, Callable[[Programme], bool]], ...] = (
    ("window.ends_before_start", lambda p: p.close_at <= p.open_at),
    ("service.ends_before_start", lambda p: p.service_end < p.service_start),
    ("age.limits_crossed", lambda p: p.age_min is not None and p.age_max is not None and p.age_min > p.age_max),
    # The capacity of slots is the only quota of such a programme; a second figure would be ignored in silence.
    ("quota.slots_decide", lambda p: p.kind.books_slots and (p.quota_total is not None or bool(p.quota_by_county))),
    ("quota.negative", lambda p: min(p.quota_total or 0, p.waitlist_size, *p.quota_by_county.values()) < 0),
    ("hours.negative", lambda p: min(p.waitlist_hold_hours, p.slot_hold_minutes, p.cancel_deadline_hours) < 0),
    ("material.code_twice", lambda p: _twice([rule.code for rule in p.required_materials])),
    ("consent.code_twice", lambda p: _twice([consent.code for consent in p.consents])),
)


def faults(programme: Programme) -> tuple[str, ...]:
    """Return the codes of what contradicts itself in ``programme``; it must be empty before it is stored."""
    return tuple(code for code, broken in _FAULTS if broken(programme))


def _twice(codes: list[str]) -> bool:
    return len(codes) != len(set(codes))


def changed_consents(before: Programme, after: Programme) -> tuple[str, ...]:
    """Return the codes of consents that say something else under the version code they had before.

    What somebody agreed to is known by its version code, so another text needs another one.
    """
    known = {consent.code: consent for consent in before.consents}
    return tuple(
        consent.code
        for consent in after.consents
        if (old := known.get(consent.code)) is not None
        and old.version == consent.version
        and (old.text, old.recipients) != (consent.text, consent.recipients)
    )
