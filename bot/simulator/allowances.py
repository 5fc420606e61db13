"""How many customer-service messages the account may send to one follower, and until when."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum


class Grant(Enum):
    """What an action of the follower allows: so many messages, for so long (rule of 2023-06-12)."""

    MESSAGE = (5, timedelta(hours=48))
    TAP = (3, timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of one grant; open before ``until``."""

    left: int
    until: datetime

    def left_at(self, now: datetime) -> int:
        """Return how many messages the window still allows."""
        return self.left if now < self.until else 0

    def spent(self) -> "Window":
        """Return the window after one message."""
        return replace(self, left=max(0, self.left - 1))


@dataclass(frozen=True, slots=True)
class Allowance:
    """One follower's windows. With ``adds_up`` they are separate budgets, else the larger one counts."""

    adds_up: bool = False
    message: Window | None = None
    tap: Window | None = None

    def granted(self, grant: Grant, now: datetime) -> "Allowance":
        """Return the allowance after an action of the follower; a repeated action refreshes its window."""
        count, life = grant.value
        window = Window(count, now + life)
        return replace(self, message=window) if grant is Grant.MESSAGE else replace(self, tap=window)

    def is_open(self, now: datetime) -> bool:
        """Say whether any window is open, used up or not."""
        return any(now < window.until for window in self._windows())

    def left(self, now: datetime) -> int:
        """Return how many messages may be sent at once now."""
        counts = [window.left_at(now) for window in self._windows()]
        return sum(counts) if self.adds_up else max(counts, default=0)

    def spent(self, now: datetime) -> "Allowance":
        """Return the allowance after one message has been sent."""
        if not self.adds_up:
            return replace(self, message=_less(self.message), tap=_less(self.tap))
        # The tap's window closes first, so it is used up first.
        if self.tap is not None and self.tap.left_at(now):
            return replace(self, tap=self.tap.spent())
        return replace(self, message=_less(self.message))

    def _windows(self) -> list[Window]:
        return [window for window in (self.message, self.tap) if window is not None]


def _less(window: Window | None) -> Window | None:
    return None if window is None else window.spent()
