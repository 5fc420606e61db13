"""Alerts as the people on duty see them: what nobody has taken, within a county, and taking one."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from bot.followers.models import Follower
from bot.inbox.errors import NoSuchAlert
from bot.inbox.filters import Scope
from bot.inbox.models import RUNNING, Alert, AlertLevel, Chat
from bot.inbox.rows import open_text
from bot.inbox.views import AlertView
from bot.staff.audit import AuditWriter
from bot.staff.models import AuditRecord
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock

DETAIL = "alerts.detail"
SHOWN_MAX = 100
"""What a page shows; the gravest and oldest come first."""


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert, with the number of the chat that its follower is in, None when they are in none."""

    alert: AlertView
    chat_id: int | None
    county: str | None


@dataclass(frozen=True, slots=True)
class Taken:
    """This person has the alert, now or already. ``chat_id`` is the chat that its follower is in."""

    chat_id: int | None


@dataclass(frozen=True, slots=True)
class TakenBySomebody:
    """Somebody else was first."""

    agent: str


TakeOutcome = Taken | TakenBySomebody


class AlertDuty:
    """An alert belongs to the county of its follower or of the chat they are in; outside a scope there is none."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, trail: AuditWriter) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._trail = trail

    async def waiting(self, scope: Scope) -> list[AlertLine]:
        """Return alerts that nobody has taken, gravest first, then oldest; at most ``SHOWN_MAX``."""
        wanted = (
            select(Alert, Chat.id, func.coalesce(Chat.county, Follower.county))
            .outerjoin(Chat, (Chat.openid == Alert.openid) & sql(f"chats.{RUNNING}"))
            .outerjoin(Follower, Follower.openid == Alert.openid)
            .where(Alert.acknowledged_at.is_(None), *_within(scope))
            .order_by(Alert.level, Alert.id)
            .limit(SHOWN_MAX)
        )
        async with self._database.reading() as session:
            found = (await session.execute(wanted)).all()
        return [AlertLine(alert_view(self._cipher, row), chat_id, county) for row, chat_id, county in found]

    async def count(self, scope: Scope) -> int:
        """Return how many alerts nobody has taken."""
        counted = (
            select(func.count(Alert.id))
            .outerjoin(Chat, (Chat.openid == Alert.openid) & sql(f"chats.{RUNNING}"))
            .outerjoin(Follower, Follower.openid == Alert.openid)
            .where(Alert.acknowledged_at.is_(None), *_within(scope))
        )
        async with self._database.reading() as session:
            return await session.scalar(counted) or 0

    async def take(self, alert_id: int, by: str, scope: Scope, *, source: str = "") -> TakeOutcome:
        """Take an alert; the first one has it. Raises NoSuchAlert."""
        async with self._database.transaction() as session:
            alert = await session.get(Alert, alert_id, with_for_update=True)
            if alert is None or not await self._reaches(session, alert, scope):
                raise NoSuchAlert(alert_id=alert_id)
            if alert.acknowledged_by not in (None, by):
                return TakenBySomebody(alert.acknowledged_by or "")
            chat_id = await session.scalar(select(Chat.id).where(Chat.openid == alert.openid, sql(RUNNING)))
            if alert.acknowledged_by is None:
                alert.acknowledged_by, alert.acknowledged_at = by, self._clock.now()
                record = AuditRecord(by, "inbox:alert:acknowledge", "alert", str(alert.id), alert.kind, source)
                await self._trail.append(session, record)
            return Taken(chat_id)

    async def _reaches(self, session: AsyncSession, alert: Alert, scope: Scope) -> bool:
        if scope.county is None:
            return True
        wanted = (
            select(Alert.id)
            .outerjoin(Chat, (Chat.openid == Alert.openid) & sql(f"chats.{RUNNING}"))
            .outerjoin(Follower, Follower.openid == Alert.openid)
            .where(Alert.id == alert.id, *_within(scope))
        )
        return await session.scalar(wanted) is not None


def alert_view(cipher: FieldCipher, row: Alert) -> AlertView:
    """Return an alert opened for the people on duty."""
    return AlertView(
        id=row.id,
        level=AlertLevel(row.level),
        kind=row.kind,
        openid=row.openid,
        detail=open_text(cipher, row.detail_sealed, DETAIL),
        created_at=row.created_at,
        notified_at=row.notified_at,
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=row.acknowledged_by,
    )


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    if scope.county is None:
        return []
    return [or_(Chat.county == scope.county, Follower.county == scope.county)]
