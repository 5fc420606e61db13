"""A clock the control API can put forward, so that windows close and media expire without waiting."""

from datetime import datetime, timedelta

from bot.values.clock import Clock


class ShiftedClock:
    """Another clock plus an offset."""

    def __init__(self, base: Clock) -> None:
        self.base = base
        self.offset = timedelta()

    def now(self) -> datetime:
        """Return the base clock's moment plus the offset."""
        return self.base.now() + self.offset
