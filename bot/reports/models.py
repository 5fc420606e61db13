"""What is counted: roll-ups of the turn log by day, and the figures that pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base

NO_INTENT = ""
"""The intent of turns that were not asked of the model: choices, answers inside a form, menu keys, pictures."""


class TurnDay(Base):
    """How many turns of one local day had that intent with that certainty. Renewed as a whole, never added to."""

    __tablename__ = "report_turn_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    intent: Mapped[str] = mapped_column(String(40), primary_key=True)
    certainty: Mapped[str] = mapped_column(String(10), primary_key=True)
    turns: Mapped[int] = mapped_column(Integer)


class TurnHour(Base):
    """How many turns an hour of a local day had, 0 to 23."""

    __tablename__ = "report_turn_hours"

    day: Mapped[date] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(Integer, primary_key=True)
    turns: Mapped[int] = mapped_column(Integer)


@dataclass(frozen=True, slots=True)
class Period:
    """From ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Messages:
    """Turns of a period. ``understood`` counts those of which the model was sure, of ``asked`` that it was asked."""

    total: int
    asked: int
    understood: int
    asked_back: int
    lost: int
    by_day: Sequence[tuple[date, int]]
    by_hour: Sequence[tuple[int, int]]
    by_intent: Sequence[tuple[str, int]]

    @property
    def understood_share(self) -> float | None:
        return self.understood / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class Registered:
    """Registrations of one programme that were handed in during a period; ``None`` where too few to be shown."""

    programme_id: str
    title: str
    kind: str
    total: int | None
    by_status: Mapping[str, int | None]
    by_county: Sequence[tuple[str, int | None]]


@dataclass(frozen=True, slots=True)
class Conversion:
    """Of the followers who asked about a service in a period, how many registered for it within fourteen days."""

    kind: str
    asked: int
    registered: int

    @property
    def share(self) -> float | None:
        return self.registered / self.asked if self.asked else None


@dataclass(frozen=True, slots=True)
class ChatFigures:
    """Chats that were opened in a period; times in minutes, ``None`` where there is none to take."""

    opened: int
    answered: int
    closed: int
    first_answer_median: float | None
    first_answer_p90: float | None
    resolution_median: float | None
    resolution_p90: float | None
    satisfied: int
    fair: int
    dissatisfied: int

    @property
    def rated(self) -> int:
        return self.satisfied + self.fair + self.dissatisfied
