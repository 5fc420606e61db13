"""Alerts to the people on duty: raised once, told until it worked, shown until somebody takes them."""

from datetime import timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from bot.inbox.duty import DETAIL, alert_view
from bot.inbox.models import Alert, AlertLevel
from bot.inbox.notifier import AlertNotice, StaffNotifier
from bot.inbox.rows import seal_text
from bot.inbox.views import AlertView
from bot.storage.encryption import FieldCipher
from bot.storage.sql import Database
from bot.values.clock import Clock


class AlertService:
    """Keeps alerts and hands each to the notifier. An alert is stored even when nobody can be told."""

    def __init__(self, database: Database, cipher: FieldCipher, clock: Clock, *, notifier: StaffNotifier) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._notifier = notifier

    async def raise_alert(self, level: AlertLevel, kind: str, openid: str, key: str, *, detail: str = "") -> int:
        """Store an alert, tell the people on duty, and return its number; the same ``key`` raises it once.

        ``kind`` is a code such as ``self_harm`` or ``group_unrest``; ``detail`` (the follower's words) is sealed and
        never leaves with the notice. A notifier that fails is logged, and ``tell_untold`` tries again.
        """
        fresh = Alert(
            level=level.value,
            kind=kind,
            openid=openid,
            detail_sealed=seal_text(self._cipher, detail, DETAIL),
            idempotency_key=key,
            created_at=self._clock.now(),
        )
        # A danger is told even if the rest of the turn that saw it fails.
        async with self._database.transaction(at_once=True) as session:
            try:
                async with session.begin_nested():
                    session.add(fresh)
                alert = fresh
            except IntegrityError:
                alert = (await session.scalars(select(Alert).where(Alert.idempotency_key == key))).one()
        if alert.notified_at is None:
            await self._tell(alert)
        return alert.id

    async def tell_untold(self) -> int:
        """Try again to tell about alerts whose notice did not go out; returns how many went out now."""
        async with self._database.reading() as session:
            untold = list(await session.scalars(select(Alert).where(Alert.notified_at.is_(None)).order_by(Alert.id)))
        return sum([await self._tell(alert) for alert in untold])

    async def open_alerts(self, *, waiting_at_least: timedelta = timedelta(0)) -> list[AlertView]:
        """Return alerts that nobody has taken, gravest first, then oldest.

        ``waiting_at_least`` narrows them to those that are overdue and go to the substitute.
        """
        latest = self._clock.now() - waiting_at_least
        wanted = (
            select(Alert)
            .where(Alert.acknowledged_at.is_(None), Alert.created_at <= latest)
            .order_by(Alert.level, Alert.id)
        )
        async with self._database.reading() as session:
            return [alert_view(self._cipher, row) for row in await session.scalars(wanted)]

    async def _tell(self, alert: Alert) -> bool:
        notice = AlertNotice(alert.id, AlertLevel(alert.level), alert.kind, alert.created_at)
        try:
            await self._notifier.notify(notice)
        except Exception:  # noqa: BLE001  Whatever a channel raises, the alert stays and is tried again.
            structlog.get_logger("bot.inbox.alerts").exception("alert_not_told", alert_id=alert.id)
            return False
        async with self._database.transaction() as session:
            row = await session.get(Alert, alert.id, with_for_update=True)
            if row is not None:
                row.notified_at = row.notified_at or self._clock.now()
        return True
