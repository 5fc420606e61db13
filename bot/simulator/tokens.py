"""Access tokens: the stable endpoint and the older one, with the platform's rotation and limits."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.simulator.errors import ApiFault

OVERLAP = timedelta(minutes=5)
FORCE_PAUSE = timedelta(seconds=30)
FORCE_PER_DAY = 20
TOKEN_BYTES = 102


@dataclass(slots=True)
class _Token:
    value: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Issued:
    """A token and how many seconds it is still good for."""

    value: str
    expires_in_s: int


class TokenBook:
    """Every token the platform has issued. The two endpoints do not disturb each other's tokens."""

    def __init__(self, life_s: int) -> None:
        self._life = timedelta(seconds=life_s)
        self._known: dict[str, _Token] = {}
        self._stable: _Token | None = None
        self._legacy: _Token | None = None
        self._forced: list[datetime] = []

    def stable(self, now: datetime, *, force: bool) -> Issued:
        """Return the same token while it is valid; raises ApiFault when forced too often.

        About five minutes before its end a new token is issued and both are good until the old one ends. A forced
        refresh ends the old token at once.
        """
        if force:
            self._force(now)
        current = self._stable
        rotate = self._life > OVERLAP and current is not None and current.expires_at - now < OVERLAP
        if current is None or rotate or now >= current.expires_at:
            current = self._stable = self._new(now)
        return Issued(current.value, int((current.expires_at - now).total_seconds()))

    def legacy(self, now: datetime) -> Issued:
        """Return a new token; the one before it works for five more minutes."""
        if self._legacy is not None:
            self._legacy.expires_at = min(self._legacy.expires_at, now + OVERLAP)
        self._legacy = self._new(now)
        return Issued(self._legacy.value, int(self._life.total_seconds()))

    def check(self, value: str, now: datetime) -> None:
        """Raise ApiFault unless ``value`` is a token that is still good."""
        if not value:
            raise ApiFault(41001)
        token = self._known.get(value)
        if token is None:
            raise ApiFault(40001)
        if now >= token.expires_at:
            raise ApiFault(42001)

    def revoke(self) -> None:
        """Make every token unknown, as a reset of the AppSecret does."""
        self._known.clear()
        self._stable = self._legacy = None

    def expire(self, now: datetime) -> None:
        """End every token now; they answer 42001 from here on."""
        for token in self._known.values():
            token.expires_at = min(token.expires_at, now)

    def _force(self, now: datetime) -> None:
        self._forced = [moment for moment in self._forced if moment.date() == now.date()]
        if len(self._forced) >= FORCE_PER_DAY:
            raise ApiFault(45009)
        if self._forced and now - self._forced[-1] < FORCE_PAUSE:
            raise ApiFault(45011)
        self._forced.append(now)
        if self._stable is not None:
            self._known.pop(self._stable.value, None)
        self._stable = None

    def _new(self, now: datetime) -> _Token:
        token = _Token(f"{secrets.randbelow(80) + 10}_{secrets.token_urlsafe(TOKEN_BYTES)}", now + self._life)
        self._known[token.value] = token
        return token
