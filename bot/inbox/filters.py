"""Which chats a list shows: its tab, what narrows it, whose eyes it is for, and where a page ends."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self

from sqlalchemy import ColumnElement

from bot.inbox.models import Chat

CURSOR_MAX_CHARS = 40
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Tab(StrEnum):
    """The lists of the inbox; ``ALL`` is everything that runs, ``PERSON`` all chats of one follower."""

    WAITING = "waiting"
    MINE = "mine"
    ALL = "all"
    CLOSED = "closed"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may see: one county's chats, one agent's, or all where both are None."""

    county: str | None = None
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class ChatFilter:
    """Which chats to list; what is empty does not narrow. ``like`` is a chat whose follower's chats are wanted."""

    tab: Tab = Tab.WAITING
    topic: str = ""
    county: str = ""
    agent: str = ""
    since: datetime | None = None
    until: datetime | None = None
    like: int | None = None


@dataclass(frozen=True, slots=True)
class Cursor:
    """The end of a page: lane, moment in microseconds and number of its last chat. ``str()`` fits into an address."""

    lane: int
    at_us: int
    id: int

    def __str__(self) -> str:
        return f"{self.lane}-{self.at_us:x}-{self.id:x}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """Return the cursor that ``str`` wrote, None for any other text."""
        lane, _, rest = text.partition("-")
        at_us, _, number = rest.partition("-")
        try:
            return cls(int(lane), int(at_us, 16), int(number, 16)) if len(text) <= CURSOR_MAX_CHARS else None
        except ValueError:
            return None


def within(scope: Scope) -> list[ColumnElement[bool]]:
    """Return the conditions that keep a query over chats inside a scope."""
    pairs = ((Chat.county, scope.county), (Chat.claimed_by, scope.owner))
    return [column == value for column, value in pairs if value is not None]


def microseconds(moment: datetime) -> int:
    """Return a moment as a number that ``moment_of`` reads back exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(us: int) -> datetime:
    """Return the moment of a number that ``microseconds`` gave."""
    return EPOCH + timedelta(microseconds=us)
