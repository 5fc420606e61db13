"""Knowledge entries and what a search for an answer may come to."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base


class EntryStatus(StrEnum):
    """Only published entries answer; drafts wait for somebody to check them."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class KnowledgeEntry(Base):
    """One question with its answer, edited by staff."""

    __tablename__ = "knowledge_entries"

    code: Mapped[str] = mapped_column(String(8), primary_key=True)
    question: Mapped[str] = mapped_column(String(128))
    variants: Mapped[list[str]] = mapped_column(JSON)
    answer: Mapped[str] = mapped_column(Text)
    fallback_answer: Mapped[str] = mapped_column(Text, default="")
    basis: Mapped[str] = mapped_column(String(255), default="")
    intents: Mapped[list[str]] = mapped_column(JSON)
    service: Mapped[str] = mapped_column(String(32), default="")
    next_step: Mapped[str] = mapped_column(String(32), default="none")
    valid_until: Mapped[date | None]
    status: Mapped[str] = mapped_column(String(16), index=True)
    note: Mapped[str] = mapped_column(String(255), default="")
    version: Mapped[int] = mapped_column(Integer, default=1)
    updated_at: Mapped[datetime]
    updated_by: Mapped[str] = mapped_column(String(64))


class KnowledgeRevision(Base):
    """What an entry said at each version, so that staff can see who changed what."""

    __tablename__ = "knowledge_revisions"
    __table_args__ = (UniqueConstraint("code", "version"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    code: Mapped[str] = mapped_column(String(8), index=True)
    version: Mapped[int] = mapped_column(Integer)
    content: Mapped[dict[str, object]] = mapped_column(JSON)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(64))


class KnowledgeState(Base):
    """One row whose counter rises with every edit, so that every process knows when to index again."""

    __tablename__ = "knowledge_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    counter: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as readers see it.

    ``answer`` may hold ``{placeholders}`` that the service's rows fill; ``fallback_answer`` is said while one of them
    has no value. ``service`` names whose rows (``work_study``, ``health_screening``, ``""`` for none). ``next_step``
    is the intent to offer after the answer, or ``"none"``.
    """

    code: str
    question: str
    variants: tuple[str, ...]
    answer: str
    fallback_answer: str
    basis: str
    intents: tuple[str, ...]
    service: str
    next_step: str
    valid_until: date | None
    status: EntryStatus
    note: str
    version: int


@dataclass(frozen=True, slots=True)
class Revision:
    """What an entry said at a version, since when, and who wrote it."""

    version: int
    at: datetime
    by: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class Near:
    """How well an entry fits a text, whatever its status."""

    entry: Entry
    score: float


@dataclass(frozen=True, slots=True)
class Found:
    """One entry clearly answers the question. ``score`` is 0 to 1."""

    entry: Entry
    score: float


@dataclass(frozen=True, slots=True)
class Close:
    """No entry is clear, but one to three are near enough to ask whether one of them is meant; best first."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class NotFound:
    """No entry answers. ``unchecked`` is the code of one that would, were it not a draft or out of date."""

    unchecked: str | None = None


Answer = Found | Close | NotFound
