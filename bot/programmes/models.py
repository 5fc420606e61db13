"""Programmes: what staff configure, as frozen values for the callers and as rows in SQL.

A programme is one document: the current one in ``programmes``, every earlier one in ``programme_versions``. Sites,
slots and posts are rows of their own, because places are counted and locked by them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Dialect, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from bot.programmes.snapshots import from_plain, to_plain
from bot.storage.sql import Base
from bot.values.identity import Sex


class ProgrammeKind(StrEnum):
    """The services that take registrations."""

    WORK_STUDY = "work_study"
    HEALTH_SCREENING = "health_screening"
    LEGAL_CONSULTATION = "legal_consultation"

    @property
    def books_slots(self) -> bool:
        """Whether a place is a date and time at a site; its capacity is then the only quota."""
        return self is ProgrammeKind.HEALTH_SCREENING

    @property
    def has_places(self) -> bool:
        """Whether places are counted at all."""
        return self is not ProgrammeKind.LEGAL_CONSULTATION


class ProgrammeStatus(StrEnum):
    """A draft is not shown to followers; a closed one takes no registrations whatever its dates say."""

    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"


class ReviewMode(StrEnum):
    """Who confirms: the system as soon as a place is taken and nothing speaks against it, or always a person."""

    ON_PLACE = "on_place"
    BY_STAFF = "by_staff"


Condition = Mapping[str, tuple[str, ...]]
"""When something is needed: every named fact must have one of the listed values. Empty: always.

Facts are the answers that are plain texts, and ``minor`` (``yes`` or ``no``).
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """One option of a question that the programme configures (items, special needs …)."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class MaterialRule:
    """A file the applicant hands in; ``stage`` is ``apply`` or ``placed`` (only after approval)."""

    code: str
    label: str
    needed_when: Condition = field(default_factory=dict)
    stage: str = "apply"


@dataclass(frozen=True, slots=True)
class ConsentText:
    """One consent with its text; ``recipients`` lists third parties by name where data is handed on."""

    code: str
    version: str
    text: str
    needed_when: Condition = field(default_factory=dict)
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PriorityRule:
    """Adds ``points`` in the order that staff see; it never decides by itself."""

    label: str
    points: int
    when: Condition


@dataclass(frozen=True, slots=True)
class Retention:
    """How long records live, in days after the event each field names."""

    draft_days: int = 30
    rejected_days: int = 180
    completed_days: int = 730
    materials_days: int = 30
    health_days: int = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Programme:
    """One period of a service, with every rule that staff may edit. Change it with ``dataclasses.replace``.

    ``version`` is 0 until it is stored. ``counties`` empty: everywhere. A county that ``quota_by_county`` does not
    name shares ``quota_total`` only. ``applications_per_place``: past that many live applications for each place new
    ones wait; ``None``: never. ``waitlist_size`` is for each waiting list: one a slot, or one for a programme without
    slots. ``age_base_date`` ``None``: the day of application. ``elsewhere_text`` says where else to turn when it is
    full or does not fit.
    """

    id: str
    kind: ProgrammeKind
    title: str
    open_at: datetime
    close_at: datetime
    service_start: date
    service_end: date
    status: ProgrammeStatus = ProgrammeStatus.DRAFT
    version: int = 0
    review_mode: ReviewMode = ReviewMode.BY_STAFF
    counties: tuple[str, ...] = ()
    quota_total: int | None = None
    quota_by_county: Mapping[str, int] = field(default_factory=dict)
    applications_per_place: float | None = None
    waitlist_size: int = 0
    waitlist_hold_hours: int = 24
    slot_hold_minutes: int = 10
    cancel_deadline_hours: int = 24
    no_show_limit: int | None = None
    age_min: int | None = None
    age_max: int | None = None
    age_base_date: date | None = None
    sex: Sex | None = None
    repeat_interval_months: int | None = None
    priority_rules: tuple[PriorityRule, ...] = ()
    required_materials: tuple[MaterialRule, ...] = ()
    materials_max: int = 20
    consents: tuple[ConsentText, ...] = ()
    choices: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    stipend_text: str = ""
    insurance_text: str = ""
    contact: str = ""
    notice_text: str = ""
    elsewhere_text: str = ""
    retention: Retention = field(default_factory=Retention)

    @property
    def choice_labels(self) -> Mapping[str, str]:
        """What each choice of its own is called."""
        return {choice.code: choice.label for choices in self.choices.values() for choice in choices}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place where a service happens. ``id`` is 0 until it is stored; ``code`` is unique in its programme."""

    programme_id: str
    code: str
    name: str
    county: str
    address: str
    phone: str = ""
    prep_text: str = ""
    closed: bool = False
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A date and time at a site. Times are Tongren's. Free places: ``RegistrationService.slots``."""

    programme_id: str
    site_id: int
    day: date
    start: time
    end: time
    capacity: int
    closed: bool = False
    id: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A work-study post: ``places`` at a unit. ``code`` is unique in its programme."""

    programme_id: str
    code: str
    unit: str
    title: str
    county: str
    places: int
    closed: bool = False
    id: int = 0


class ProgrammeDocument(TypeDecorator[Programme]):
    """A ``Programme`` in a JSON column."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: Programme | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return None if value is None else to_plain(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Programme | None:  # noqa: ARG002
        return None if value is None else from_plain(Programme, value)


class ProgrammeRow(Base):
    """The current version of each programme; the columns beside the document are for look-ups and locks."""

    __tablename__ = "programmes"
    __table_args__ = (CheckConstraint("close_at > open_at", name="window"), Index(None, "open_at", "id"))

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(24), index=True)
    status: Mapped[str] = mapped_column(String(12))
    version: Mapped[int]
    open_at: Mapped[datetime]
    close_at: Mapped[datetime]
    document: Mapped[Programme] = mapped_column(ProgrammeDocument)
    updated_at: Mapped[datetime]


class ProgrammeVersionRow(Base):
    """One edit: the whole document after it, and what else changed with it (sites, slots, posts)."""

    __tablename__ = "programme_versions"

    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[Programme] = mapped_column(ProgrammeDocument)
    rows_changed: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    editor: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    edited_at: Mapped[datetime]


class SiteRow(Base):
    __tablename__ = "programme_sites"
    __table_args__ = (UniqueConstraint("programme_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"))
    code: Mapped[str] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(80))
    county: Mapped[str] = mapped_column(String(24))
    address: Mapped[str] = mapped_column(String(200))
    phone: Mapped[str] = mapped_column(String(40))
    prep_text: Mapped[str] = mapped_column(Text)
    closed: Mapped[bool]


class SlotRow(Base):
    __tablename__ = "programme_slots"
    __table_args__ = (
        UniqueConstraint("site_id", "day", "start"),
        CheckConstraint("capacity >= 0", name="capacity"),
        Index(None, "programme_id", "day"),
        # The door looks at days, whatever the programme.
        Index(None, "day", "site_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"))
    site_id: Mapped[int] = mapped_column(ForeignKey("programme_sites.id"))
    day: Mapped[date]
    start: Mapped[time]
    end: Mapped[time]
    capacity: Mapped[int]
    closed: Mapped[bool]


class PostRow(Base):
    __tablename__ = "programme_posts"
    __table_args__ = (
        UniqueConstraint("programme_id", "code"),
        CheckConstraint("places >= 0", name="places"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    programme_id: Mapped[str] = mapped_column(ForeignKey("programmes.id"))
    code: Mapped[str] = mapped_column(String(40))
    unit: Mapped[str] = mapped_column(String(80))
    title: Mapped[str] = mapped_column(String(80))
    county: Mapped[str] = mapped_column(String(24))
    places: Mapped[int]
    closed: Mapped[bool]
