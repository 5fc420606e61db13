"""Telling the people on duty: what an alert notice holds, and who carries it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import structlog

from bot.inbox.models import AlertLevel


@dataclass(frozen=True, slots=True)
class AlertNotice:
    """What leaves the system when there is an alert: that there is one, never whose or about what words."""

    alert_id: int
    level: AlertLevel
    kind: str
    created_at: datetime


class StaffNotifier(Protocol):
    """Carries a notice to the people on duty."""

    async def notify(self, notice: AlertNotice) -> None:
        """Deliver the notice; raise any exception when it did not go out, and it will be tried again."""
        ...


class LogNotifier:
    """Writes notices to the log at the highest level; the version to start with, and always a second channel."""

    async def notify(self, notice: AlertNotice) -> None:
        logger = structlog.get_logger("bot.inbox.alerts")
        logger.critical("alert_raised", alert_id=notice.alert_id, level_name=notice.level.value, kind=notice.kind)


class RecordingNotifier:
    """Keeps notices in a list, for tests and demonstrations."""

    def __init__(self) -> None:
        self.notices: list[AlertNotice] = []

    async def notify(self, notice: AlertNotice) -> None:
        self.notices.append(notice)
