"""What a list of registrations is narrowed to and ordered by: as values to keep, and as conditions in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, and_, literal_column, select

from bot.programmes.models import SlotRow
from bot.programmes.snapshots import JsonValue
from bot.registrations.models import Registration
from bot.registrations.statuses import Status
from bot.values.clock import LOCAL_ZONE

M = TypeVar("M", bound=StrEnum)

STORED_STATUSES: tuple[Status, ...] = tuple(status for status in Status if status not in (Status.DRAFT, Status.VOID))
"""The statuses that rows have: drafts live in the dialogue."""


class Mark(StrEnum):
    """What makes a registration worth a look."""

    FINDINGS = "findings"
    DUPLICATES = "duplicates"
    CHANGED = "changed"
    LATE = "late"


class Sort(StrEnum):
    """``NEWEST`` and ``OLDEST`` go by the time of application; ``RANKED`` by priority and then by time."""

    NEWEST = "newest"
    OLDEST = "oldest"
    RANKED = "ranked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which registrations to list; what is empty does not narrow.

    ``county`` is the scope of the viewer and their own choice in one. ``day`` and ``site_id`` go by the slot,
    ``first_day`` and ``last_day`` by the day of application (in Tongren).
    """

    programme_id: str | None = None
    status: Status | None = None
    county: str | None = None
    site_id: int | None = None
    slot_id: int | None = None
    day: date | None = None
    category: str | None = None
    mark: Mark | None = None
    first_day: date | None = None
    last_day: date | None = None
    sort: Sort = Sort.NEWEST

    @property
    def by_slot(self) -> bool:
        """Whether it asks for certain slots, which hold few people each."""
        return self.slot_id is not None or self.site_id is not None or self.day is not None

    @property
    def statuses(self) -> Sequence[Status]:
        """The statuses that the list runs through."""
        if self.mark is Mark.LATE:
            return [Status.RETURNED] if self.status in (None, Status.RETURNED) else []
        return STORED_STATUSES if self.status is None else [self.status]


def as_json(wanted: Filter) -> dict[str, JsonValue]:
    """Return what narrows, as plain values; ``from_json`` reads it back."""
    found: dict[str, JsonValue] = {}
    for one in fields(wanted):
        value = getattr(wanted, one.name)
        if value is not None and value != one.default:
            found[one.name] = value if isinstance(value, int) else str(value)
    return found


def from_json(plain: Mapping[str, JsonValue]) -> Filter:
    """Return the filter again; what cannot be read any more (a status that is gone) does not narrow."""
    return Filter(
        programme_id=_text(plain, "programme_id"),
        status=_member(Status, plain, "status"),
        county=_text(plain, "county"),
        site_id=_number(plain, "site_id"),
        slot_id=_number(plain, "slot_id"),
        day=_day(plain, "day"),
        category=_text(plain, "category"),
        mark=_member(Mark, plain, "mark"),
        first_day=_day(plain, "first_day"),
        last_day=_day(plain, "last_day"),
        sort=_member(Sort, plain, "sort") or Sort.NEWEST,
    )


def conditions(wanted: Filter, now: datetime) -> list[ColumnElement[bool]]:
    """Return everything but the status as conditions on ``Registration``."""
    found: list[ColumnElement[bool]] = []
    equal = (
        (Registration.programme_id, wanted.programme_id),
        (Registration.county, wanted.county),
        (Registration.category, wanted.category),
    )
    found += [column == value for column, value in equal if value is not None]
    if wanted.mark is not None:
        found.append(_marked(wanted.mark, now))
    if wanted.first_day is not None:
        found.append(Registration.created_at >= _midnight(wanted.first_day))
    if wanted.last_day is not None:
        found.append(Registration.created_at < _midnight(wanted.last_day + timedelta(days=1)))
    if wanted.by_slot:
        found.append(Registration.id.in_(select(Registration.id).where(Registration.slot_id.in_(_slots(wanted)))))
    return found


def _marked(mark: Mark, now: datetime) -> ColumnElement[bool]:
    match mark:
        case Mark.FINDINGS:
            return Registration.has_findings.is_(True)
        case Mark.DUPLICATES:
            return Registration.has_duplicates.is_(True)
        case Mark.CHANGED:
            return Registration.needs_review.is_(True)
        case Mark.LATE:
            # Spelt out, not bound: else the small index of what was sent back would not be known to fit.
            sent_back = Registration.status == literal_column(f"'{Status.RETURNED.value}'")
            return and_(sent_back, Registration.returned_until < now)


def _slots(wanted: Filter) -> Select[int]:
    query = select(SlotRow.id)
    if wanted.slot_id is not None:
        query = query.where(SlotRow.id == wanted.slot_id)
    if wanted.site_id is not None:
        query = query.where(SlotRow.site_id == wanted.site_id)
    if wanted.day is not None:
        query = query.where(SlotRow.day == wanted.day)
    if wanted.programme_id is not None:
        query = query.where(SlotRow.programme_id == wanted.programme_id)
    return query


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), LOCAL_ZONE)


def _member(kind: type[M], plain: Mapping[str, JsonValue], name: str) -> M | None:
    value = _text(plain, name)
    return kind(value) if value is not None and value in set(kind) else None


def _text(plain: Mapping[str, JsonValue], name: str) -> str | None:
    value = plain.get(name)
    return value if isinstance(value, str) and value else None


def _number(plain: Mapping[str, JsonValue], name: str) -> int | None:
    value = plain.get(name)
    return value if isinstance(value, int) else None


def _day(plain: Mapping[str, JsonValue], name: str) -> date | None:
    try:
        return date.fromisoformat(_text(plain, name) or "")
    except ValueError:
        return None
