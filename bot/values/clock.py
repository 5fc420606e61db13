"""Time as a dependency: the business lives in Tongren's time zone, and tests move the clock."""

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Where a part gets the time from."""

    def now(self) -> datetime:
        """Return the present moment, aware, in ``LOCAL_ZONE``."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC).astimezone(LOCAL_ZONE)


class MovedClock:
    """A clock that stands still until it is moved; used by tests and by dry runs."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("start must be an aware datetime")
        self._now = start.astimezone(LOCAL_ZONE)

    def now(self) -> datetime:
        return self._now

    def move(self, delta: timedelta) -> None:
        """Advance by ``delta``."""
        self._now += delta

    def set(self, moment: datetime) -> None:
        """Jump to an aware ``moment``."""
        self._now = moment.astimezone(LOCAL_ZONE)
