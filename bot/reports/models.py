"""What is counted: roll-ups of the turn log by day, and the figures that pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.sql import Base
from bot.values.clock import LOCAL_ZONE

NO_INTENT = ""
"""The intent of turns that were not asked of the model: choices, answers inside a form, menu keys, pictures."""


class TurnDay(Base):
    """How many turns of one local day had that intent with that certainty. Renewed as a whole, never added to."""

    __tablename__ = "report_turn_days"
    # Answers a year by itself: days of some certainty, and the intents of those that were sure.
    __table_args__ = (Index("ix_report_turn_days_counted", "day", "certainty", "intent", "turns"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    intent: Mapped[str] = mapped_column(String(40), primary_key=True)
    certainty: Mapped[str] = mapped_column(String(10), primary_key=True)
    turns: Mapped[int] = mapped_column(Integer)


class TurnHour(Base):
    """How many turns with that certainty an hour of a local day had, 0 to 23."""

    __tablename__ = "report_turn_hours"

    day: Mapped[date] = mapped_column(primary_key=True)
    hour: Mapped[int] = mapped_column(Integer, primary_key=True)
    certainty: Mapped[str] = mapped_column(String(10), primary_key=True)
    turns: Mapped[int] = mapped_column(Integer)


class CountedDay(Base):
    """Up to which write of a local day its turns were counted; see ``LoggedDay``."""

    __tablename__ = "report_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    writes: Mapped[int]


class Asker(Base):
    """A follower who asked about a service on a local day, and whether they registered for it until ``until``."""

    __tablename__ = "report_askers"
    __table_args__ = (
        Index("ix_report_askers_counted", "intent", "day", "openid", "has_registered"),
        Index("ix_report_askers_undecided", "intent", "has_registered", "until"),
    )

    day: Mapped[date] = mapped_column(primary_key=True)
    intent: Mapped[str] = mapped_column(String(40), primary_key=True)
    openid: Mapped[str] = mapped_column(String(64), primary_key=True, index=True)
    asked_at: Mapped[datetime]
    until: Mapped[datetime]
    has_registered: Mapped[bool] = mapped_column(default=False)


class ChatMeasure(StrEnum):
    """What is counted of chats, on the day on which it happened."""

    OPENED = "opened"
    FIRST_ANSWER = "first_answer"
    """The value is how many minutes after the opening, see ``rounded_minutes``."""
    RESOLUTION = "resolution"
    """The same for the end of the chat."""
    RATING = "rating"
    """The value is the ``Satisfaction``."""


class ChatDay(Base):
    """How many chats of one local day and county had that value of a measure; no county is an empty one."""

    __tablename__ = "report_chat_days"
    __table_args__ = (Index("ix_report_chat_days_counted", "measure", "day", "value", "county", "chats"),)

    day: Mapped[date] = mapped_column(primary_key=True)
    county: Mapped[str] = mapped_column(String(32), primary_key=True)
    measure: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[int] = mapped_column(Integer, primary_key=True)
    chats: Mapped[int] = mapped_column(Integer)


class CountedUntil(Base):
    """The last day up to which something was counted."""

    __tablename__ = "report_counted_until"

    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[date]


@dataclass(frozen=True, slots=True)
class Period:
    """From ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def begin(self) -> datetime:
        """The moment at which it begins, in Tongren."""
        return datetime.combine(self.first, time.min, LOCAL_ZONE)

    @property
    def end(self) -> datetime:
        """The moment at which it is over."""
        return datetime.combine(self.last + timedelta(days=1), time.min, LOCAL_ZONE)

    @property
    def previous(self) -> "Period":
        """The period of the same length before it."""
        return Period(self.first - timedelta(days=self.days), self.first - timedelta(days=1))

    def each_day(self) -> Sequence[date]:
        """Return its days in their order."""
        return [self.first + timedelta(days=number) for number in range(self.days)]


@dataclass(frozen=True, slots=True)
class Turns:
    """A number of turns, by how well they were understood.

    ``understood``: the model was sure, and the assistant acted. ``asked_back``: it offered what it may have been.
    ``lost``: it said that it did not understand. ``guided``: the model was not needed, because the turn was a choice,
    an answer to an open question, a menu key or a picture.
    """

    understood: int = 0
    asked_back: int = 0
    lost: int = 0
    guided: int = 0

    @property
    def total(self) -> int:
        return self.asked + self.guided

    @property
    def asked(self) -> int:
        """Those that the model was asked about."""
        return self.understood + self.asked_back + self.lost

    @property
    def understood_share(self) -> float | None:
        return self.understood / self.asked if self.asked else None

    def __add__(self, other: "Turns") -> "Turns":
        return Turns(
            self.understood + other.understood,
            self.asked_back + other.asked_back,
            self.lost + other.lost,
            self.guided + other.guided,
        )


@dataclass(frozen=True, slots=True)
class Messages:
    """Turns of a period, in all and by day, hour and intent. Intents are those that the model was sure of."""

    all: Turns
    by_day: Sequence[tuple[date, Turns]]
    by_hour: Sequence[tuple[int, Turns]]
    by_intent: Sequence[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Registered:
    """Registrations of one programme; ``None`` where a group is too small to be shown.

    ``is_whole`` says that they are those of the whole programme and not of the period, as for every screening.
    """

    programme_id: str
    title: str
    kind: str
    is_whole: bool
    total: int | None
    by_status: Mapping[str, int | None]
    by_county: Sequence[tuple[str, int | None]]


@dataclass(frozen=True, slots=True)
class CountyStatuses:
    """One county's registrations of a programme by status; empty where the statuses are not told apart."""

    county: str
    total: int | None
    by_status: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ProgrammeFigures:
    """One programme more closely: by county and status, and by day where days are told apart."""

    registered: Registered
    counties: Sequence[CountyStatuses]
    by_day: Sequence[tuple[date, int]]


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
class Waits:
    """How long something took, as a histogram: how many times by minutes, see ``rounded_minutes``."""

    by_minutes: Mapping[int, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return sum(self.by_minutes.values())


@dataclass(frozen=True, slots=True)
class ChatFigures:
    """What happened with chats in a period, each thing on its day: openings, first answers, ends and ratings."""

    opened: int
    first_answer: Waits
    resolution: Waits
    satisfied: int
    fair: int
    dissatisfied: int
    by_day: Sequence[tuple[date, int]]

    @property
    def rated(self) -> int:
        return self.satisfied + self.fair + self.dissatisfied

    @property
    def satisfied_share(self) -> float | None:
        return self.satisfied / self.rated if self.rated else None
