"""What changed in the inbox, for screens that are open: one indexed query however many of them there are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from bot.inbox.filters import Scope
from bot.inbox.models import InboxChange
from bot.storage.sql import Database
from bot.values.clock import Clock

BATCH = 500
GAP_WAIT = timedelta(seconds=10)
"""How long a number that is missing may still come: its transaction was begun earlier and is stored later."""
KEPT_FOR = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Change:
    """Something about this chat changed; what, is read by whoever may see it."""

    id: int
    chat_id: int
    county: str | None
    agent: str | None
    at: datetime

    def concerns(self, scope: Scope) -> bool:
        """Say whether somebody with this scope may learn of it."""
        county_fits = scope.county is None or scope.county == self.county
        return county_fits and (scope.owner is None or scope.owner == self.agent)


@dataclass(slots=True)
class Position:
    """How far somebody has read. Numbers are given in order but stored out of order, so gaps are waited for.

    Everything up to ``floor`` was read or is given up; ``beyond`` are the numbers above it that were read.
    """

    floor: int
    beyond: dict[int, datetime] = field(default_factory=dict)

    def take(self, changes: Sequence[Change], now: datetime) -> list[Change]:
        """Return those of ``changes`` (in order of their numbers, all above ``floor``) that are new, and move on."""
        fresh = [change for change in changes if change.id not in self.beyond]
        self.beyond.update((change.id, now) for change in fresh)
        for number in sorted(self.beyond):
            # A gap is a transaction that is still open, or one that was rolled back and will never show.
            if number != self.floor + 1 and now - self.beyond[number] < GAP_WAIT:
                break
            self.floor = number
            del self.beyond[number]
        return fresh


class ChangeFeed:
    """Reads and tidies the table of changes."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def now(self) -> Position:
        """Return the position behind everything that is stored."""
        async with self._database.reading() as session:
            return Position(await session.scalar(select(func.max(InboxChange.id))) or 0)

    async def since(self, position: Position) -> list[Change]:
        """Return what is new and move ``position`` on."""
        wanted = (
            select(InboxChange)
            .where(InboxChange.id > position.floor)
            .order_by(InboxChange.id)
            .limit(BATCH + len(position.beyond))
        )
        async with self._database.reading() as session:
            rows = await session.scalars(wanted)
            changes = [Change(row.id, row.chat_id, row.county, row.agent, row.at) for row in rows]
        return position.take(changes, self._clock.now())

    async def purge(self) -> int:
        """Delete rows of more than a day ago; returns how many."""
        old = delete(InboxChange).where(InboxChange.at < self._clock.now() - KEPT_FOR)
        async with self._database.transaction() as session:
            return len((await session.execute(old.returning(InboxChange.id))).all())


def chats_for(changes: Collection[Change], scope: Scope) -> set[int]:
    """Return the chats that look different now to somebody with this scope."""
    return {change.chat_id for change in changes if change.concerns(scope)}
