"""Who can answer chats: which accounts may, who of them is there now, and how much each has to do."""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from bot.inbox.models import Chat, ChatStatus
from bot.inbox.office_models import AgentPresence
from bot.staff.models import StaffAccount, StaffView, view_of
from bot.staff.rules import PermissionTable, Reach
from bot.storage.sql import Database
from bot.values.clock import Clock

ANSWER = "inbox:chat:answer"
THERE_FOR = timedelta(minutes=2)
"""How long after the last sign of an open inbox somebody counts as there."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Somebody who may answer; ``open_chats`` is how many they have now."""

    username: str
    display_name: str
    county: str | None
    is_there: bool
    open_chats: int


class AgentDirectory:
    """Reads accounts, presence and open chats together."""

    def __init__(self, database: Database, clock: Clock, permissions: PermissionTable) -> None:
        self._database = database
        self._clock = clock
        self._permissions = permissions

    async def for_county(self, county: str | None) -> list[Agent]:
        """Return who may be given a chat of ``county``: those who are there first, the least busy first."""
        busy = (
            select(Chat.claimed_by, func.count().label("chats"))
            .where(Chat.status == ChatStatus.OPEN.value)
            .group_by(Chat.claimed_by)
            .subquery()
        )
        wanted = (
            select(StaffAccount, AgentPresence.seen_at, busy.c.chats)
            .outerjoin(AgentPresence, AgentPresence.username == StaffAccount.username)
            .outerjoin(busy, busy.c.claimed_by == StaffAccount.username)
            .where(StaffAccount.active.is_(True))
        )
        since = self._clock.now() - THERE_FOR
        async with self._database.reading() as session:
            found = (await session.execute(wanted)).all()
        agents = [
            Agent(account.username, account.display_name, account.county, bool(seen and seen >= since), chats or 0)
            for account, seen, chats in found
            if self._may_answer(view_of(account), county)
        ]
        return sorted(agents, key=lambda one: (not one.is_there, one.open_chats, one.username))

    async def here(self, username: str) -> None:
        """Note that somebody has the inbox open; call it every minute or oftener."""
        now = self._clock.now()
        async with self._database.transaction() as session:
            row = await session.get(AgentPresence, username, with_for_update=True)
            if row is not None:
                row.seen_at = now
                return
            try:
                async with session.begin_nested():
                    session.add(AgentPresence(username=username, seen_at=now))
            except IntegrityError:
                return  # Another of their screens was first.

    def _may_answer(self, account: StaffView, county: str | None) -> bool:
        match self._permissions.reach(account.roles, ANSWER):
            case Reach.ALL:
                return True
            case Reach.COUNTY:
                return county is not None and account.county == county
            case _:
                return False
