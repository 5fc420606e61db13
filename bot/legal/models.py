"""Legal cases: tables, statuses and what callers see of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Boolean, ForeignKey, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class CaseStatus(StrEnum):
    """Where a consultation stands; ``rules.UNIFIED_STATUS`` maps it to the status all services share."""

    PENDING = "pending"
    ASSIGNED = "assigned"
    CONTACTED = "contacted"
    ANSWERING = "answering"
    RETURNED = "returned"
    COMPLETED = "completed"
    FOLLOWED_UP = "followed_up"
    CANCELLED = "cancelled"


class ContactWay(StrEnum):
    """How the worker wants to be advised."""

    TEXT = "text"
    PHONE = "phone"
    IN_PERSON = "in_person"
    VIDEO = "video"


class TopicSource(StrEnum):
    """Who settled the topic: the rules, the worker's own choice, or a later correction."""

    RECOGNISED = "recognised"
    CHOSEN = "chosen"
    CORRECTED = "corrected"


RUNNING = "status NOT IN ('completed', 'followed_up', 'cancelled')"
"""What is not over yet, in SQL: the index of what runs answers nothing else."""


class LegalCase(Base):
    """One consultation. Everything a stranger could recognise a person or a dispute by is sealed."""

    __tablename__ = "legal_cases"
    __table_args__ = (
        # Lists go backwards along one of these, by id; what a list is filtered by besides is common enough.
        Index("ix_legal_cases_status", "status", "id"),
        Index("ix_legal_cases_county", "county", "id"),
        Index("ix_legal_cases_county_status", "county", "status", "id"),
        Index("ix_legal_cases_topic", "topic", "id"),
        Index("ix_legal_cases_lawyer", "assigned_to", "id"),
        Index("ix_legal_cases_lawyer_status", "assigned_to", "status", "id"),
        # What runs is little beside what is over, and is counted and looked through in this alone.
        Index(
            "ix_legal_cases_running",
            "nearest_due_on",
            "status",
            "county",
            "assigned_to",
            sqlite_where=text(RUNNING),
            postgresql_where=text(RUNNING),
        ),
    )

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    receipt: Mapped[str] = mapped_column(String(24), unique=True)
    openid: Mapped[str] = mapped_column(String(64), index=True)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)
    status: Mapped[str] = mapped_column(String(16), default=CaseStatus.PENDING.value)
    topic: Mapped[str] = mapped_column(String(8))
    topic_source: Mapped[str] = mapped_column(String(16))
    topic_confidence_percent: Mapped[int] = mapped_column(Integer, default=0)
    is_anonymous: Mapped[bool] = mapped_column(Boolean, default=False)
    county: Mapped[str] = mapped_column(String(32))
    employer: Mapped[str] = mapped_column(String(128), default="")
    people_count: Mapped[int] = mapped_column(Integer, default=1)
    is_group: Mapped[bool] = mapped_column(Boolean, default=False)
    is_urgent: Mapped[bool] = mapped_column(Boolean, default=False)
    nearest_due_on: Mapped[date | None]
    fears_retaliation: Mapped[bool] = mapped_column(Boolean, default=False)
    contact_way: Mapped[str] = mapped_column(String(16), default=ContactWay.TEXT.value)
    callback_times: Mapped[list[str]] = mapped_column(JSON, default=list)
    name_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    phone_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    story_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    facts_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    assigned_to: Mapped[str | None] = mapped_column(String(64))
    contact_attempts: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[str | None] = mapped_column(String(32))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class CaseHistory(Base):
    """One change of a case, never rewritten. ``idempotency_key`` makes the same delivery count once."""

    __tablename__ = "legal_case_history"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("legal_cases.id"), index=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(24))
    from_status: Mapped[str | None] = mapped_column(String(16))
    to_status: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    changed: Mapped[list[str]] = mapped_column(JSON, default=list)
    idempotency_key: Mapped[str | None] = mapped_column(String(128), unique=True)


class CaseEvidence(Base):
    """A picture, recording or note that belongs to a case; files stay in the private store, by ``file_ref``."""

    __tablename__ = "legal_case_evidence"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("legal_cases.id"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    file_ref: Mapped[str | None] = mapped_column(String(256))
    text_sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    added_at: Mapped[datetime]
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)


class CaseNote(Base):
    """A private note of the staff about a case; the worker never sees it."""

    __tablename__ = "legal_case_notes"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("legal_cases.id"), index=True)
    at: Mapped[datetime]
    author: Mapped[str] = mapped_column(String(64))
    text_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    idempotency_key: Mapped[str] = mapped_column(String(128), unique=True)


class ConflictCheck(Base):
    """What was found when a lawyer's clients and cases were compared with a case's other side, and who decided."""

    __tablename__ = "legal_conflict_checks"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("legal_cases.id"), index=True)
    lawyer: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))
    found: Mapped[str] = mapped_column(String(16))
    decision: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(128), default="")


class LawyerClient(Base):
    """An employer that a lawyer or their firm advises. The name is sealed; ``core_hash`` finds it again."""

    __tablename__ = "legal_lawyer_clients"
    __table_args__ = (UniqueConstraint("lawyer", "core_hash"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    lawyer: Mapped[str] = mapped_column(String(64))
    name_sealed: Mapped[bytes] = mapped_column(LargeBinary)
    core_hash: Mapped[str] = mapped_column(String(64), index=True)
    added_at: Mapped[datetime]
    added_by: Mapped[str] = mapped_column(String(64))


class DeadlineRuleRow(Base):
    """One legal time limit. Seeded from ``deadlines.yml``; lawyers correct the row when the law changes."""

    __tablename__ = "legal_deadline_rules"

    code: Mapped[str] = mapped_column(String(32), primary_key=True)
    position: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(String(64))
    topics: Mapped[list[str]] = mapped_column(JSON)
    starts_from: Mapped[list[str]] = mapped_column(JSON)
    period: Mapped[int] = mapped_column(Integer)
    period_unit: Mapped[str] = mapped_column(String(8))
    party: Mapped[str] = mapped_column(String(16))
    restarts_on: Mapped[list[str]] = mapped_column(JSON)
    open_while: Mapped[list[str]] = mapped_column(JSON)
    starts_from_after_leaving: Mapped[str] = mapped_column(String(32), default="")
    basis: Mapped[str] = mapped_column(String(128))
    wording: Mapped[str] = mapped_column(String(128))
    valid_from: Mapped[date | None]
    valid_until: Mapped[date | None]


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """What a worker has told so far, ready to be registered. ``facts`` are the topic's own questions and answers."""

    openid: str
    topic: str
    county: str
    topic_source: TopicSource = TopicSource.CHOSEN
    topic_confidence_percent: int = 0
    is_anonymous: bool = False
    employer: str = ""
    people_count: int = 1
    contact_way: ContactWay = ContactWay.TEXT
    name: str = ""
    phone: str = ""
    callback_times: tuple[str, ...] = ()
    fears_retaliation: bool = False
    story: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseChanges:
    """What a worker corrects later; ``None`` leaves a field as it is. ``facts`` are merged into the old ones."""

    topic: str | None = None
    county: str | None = None
    employer: str | None = None
    people_count: int | None = None
    contact_way: ContactWay | None = None
    name: str | None = None
    phone: str | None = None
    callback_times: tuple[str, ...] | None = None
    story: str | None = None
    facts: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """A line of a list or queue: nothing sealed is opened for it."""

    receipt: str
    openid: str
    status: CaseStatus
    topic: str
    county: str
    people_count: int
    is_group: bool
    is_urgent: bool
    is_anonymous: bool
    fears_retaliation: bool
    nearest_due_on: date | None
    assigned_to: str | None
    outcome: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case opened for its owner or its lawyer."""

    summary: CaseSummary
    employer: str
    contact_way: ContactWay
    name: str
    phone: str
    callback_times: tuple[str, ...]
    story: str
    facts: Mapping[str, str]
    evidence_count: int


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One recorded change of a case."""

    at: datetime
    actor: str
    action: str
    from_status: CaseStatus | None
    to_status: CaseStatus
    reason: str
    changed: tuple[str, ...]


class Conflict(StrEnum):
    """What comparing the other side with a lawyer's clients and cases came to."""

    CLEAR = "clear"
    POSSIBLE = "possible"
    CONFLICT = "conflict"
    UNKNOWN = "unknown"
    """The case names no employer, so there is nothing to compare."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose cases a member of staff may see; ``None`` does not narrow. ``lawyer`` is a username."""

    county: str | None = None
    lawyer: str | None = None


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases to list; empty fields do not narrow. ``due_within_days`` counts the nearest limit from today."""

    statuses: tuple[CaseStatus, ...] = ()
    topic: str = ""
    county: str = ""
    lawyer: str = ""
    receipt: str = ""
    only_urgent: bool = False
    due_within_days: int | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """Some cases, and the id to go on after; ``None`` at the end."""

    cases: tuple[CaseSummary, ...]
    after: int | None


@dataclass(frozen=True, slots=True)
class Note:
    """A private note, opened."""

    at: datetime
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class CheckedConflict:
    """One comparison with what was decided about it: ``take`` or ``decline``."""

    lawyer: str
    at: datetime
    by: str
    found: Conflict
    decision: str
    reason: str
